"""Reads an application from a Hesperides server over its REST interface. The only file here that does I/O."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlsplit

from ecluse.errors import EcluseError, NotFound, Refused, TimedOut, UsageError
from ecluse.importers.hesperides.dump import FORMAT, GLOBAL_PATH
from ecluse.model.secret import Secret

TIMEOUT = 60.0
MAX_BYTES = 64 * 1024 * 1024


class Client:
    """One server, one account."""

    def __init__(self, url: str, user: str, password: Secret) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise UsageError(
                "--url: not an address like https://hesperides.example.fr", hint="leave the login out"
            )
        base = url.rstrip("/")
        self._base = base if base.endswith("/rest") else f"{base}/rest"
        self._host = parts.netloc
        login = f"{user}:{password.reveal()}".encode()
        self._login = Secret("Basic " + base64.b64encode(login).decode("ascii"))
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=ssl.create_default_context()), _SameHost(parts.netloc)
        )

    def json(self, path: str) -> Any:
        try:
            return json.loads(self._get(path, "application/json"))
        except ValueError:
            raise EcluseError(f"{self._host} answers {path} with something that is not JSON") from None

    def text(self, path: str) -> str:
        return self._get(path, "text/plain").decode("utf-8")

    def _get(self, path: str, accept: str) -> bytes:
        request = urllib.request.Request(
            self._base + path, headers={"Authorization": self._login.reveal(), "Accept": accept}
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                content: bytes = answer.read(MAX_BYTES + 1)
        except urllib.error.HTTPError as error:
            raise self._refusal(error.code, path) from None
        except TimeoutError:
            raise TimedOut(f"{self._host} did not answer within {TIMEOUT:.0f} s") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise EcluseError(f"{self._host} cannot be reached: {reason}", hint="look at --url") from None
        if len(content) > MAX_BYTES:
            raise EcluseError(f"{self._host} answers {path} with more than {MAX_BYTES} bytes")
        return content

    def _refusal(self, code: int, path: str) -> EcluseError:
        if code == 401:
            hint = "give --user, and the password when it is asked or as HESPERIDES_PASSWORD"
            return Refused(f"{self._host} refuses the login", hint=hint)
        if code == 403:
            return Refused(f"this account may not read {path}", hint="ask for the right in Hesperides")
        if code == 404:
            return NotFound(f"{self._host} has no {path}")
        return EcluseError(f"{self._host} answers {path} with status {code}")


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to another host: the login would go there."""

    def __init__(self, host: str) -> None:
        self._host = host

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).netloc != self._host:
            raise urllib.error.HTTPError(newurl, 502, "leads to another host", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(client: Client, application: str, platforms: Iterable[str], *, with_files: bool) -> dict[str, Any]:
    """The documents of an application, as a saved dump has them. `platforms`: none for all of them."""
    found = client.json(f"/applications/{_part(application)}")
    known = [str(one["platform_name"]) for one in found.get("platforms", [])]
    by_case = {name.lower(): name for name in known}
    wanted = [by_case.get(name.lower(), name) for name in platforms] or known
    if missing := [name for name in wanted if name not in known]:
        raise NotFound(f"{application} has no platform {missing[0]}", hint=f"known: {', '.join(known)}")
    documents = [_platform(client, application, name) for name in wanted]
    keys = {
        (str(one["name"]), str(one["version"]), bool(one["working_copy"]))
        for document in documents
        for one in document["platform"]["modules"]
    }
    result = {
        "hesperides": FORMAT,
        "application": str(found.get("name", application)),
        "platforms": documents,
        "modules": [_module(client, *key) for key in sorted(keys)],
    }
    if with_files:
        result["files"] = [file for document in documents for file in _files(client, application, document)]
    return result


def _platform(client: Client, application: str, name: str) -> dict[str, Any]:
    base = f"/applications/{_part(application)}/platforms/{_part(name)}"
    platform = client.json(base)
    paths = [str(one["properties_path"]) for one in platform["modules"]]
    return {
        "platform": platform,
        "globals": client.json(f"{base}/properties?path={_part(GLOBAL_PATH)}"),
        "properties": {path: client.json(f"{base}/properties?path={_part(path)}") for path in paths},
    }


def _module(client: Client, name: str, version: str, working_copy: bool) -> dict[str, Any]:  # noqa: FBT001
    base = f"/modules/{_part(name)}/{_part(version)}/{_kind(working_copy)}"
    module = client.json(base)
    technos = [
        {"techno": one, "templates": _templates(client, _techno(one))} for one in module.get("technos") or []
    ]
    return {"module": module, "templates": _templates(client, base), "technos": technos}


def _techno(one: Any) -> str:
    kind = _kind(bool(one["working_copy"]))
    return f"/templates/packages/{_part(str(one['name']))}/{_part(str(one['version']))}/{kind}"


def _templates(client: Client, base: str) -> list[Any]:
    found = client.json(f"{base}/templates")
    return [client.json(f"{base}/templates/{_part(str(one['name']))}") for one in found]


def _files(client: Client, application: str, document: dict[str, Any]) -> list[dict[str, Any]]:
    """What the server generates for each instance; for a module without any, what it would generate."""
    platform = document["platform"]
    result = []
    for one in platform["modules"]:
        instances = [str(instance["name"]) for instance in one.get("instances") or []]
        for instance in instances or ["default"]:
            base = (
                f"/applications/{_part(application)}/platforms/{_part(str(platform['platform_name']))}"
                f"/{_part(str(one['path']))}/{_part(str(one['name']))}/{_part(str(one['version']))}"
                f"/instances/{_part(instance)}/files"
            )
            asked = f"?isWorkingCopy={_flag(one['working_copy'])}&simulate={_flag(not instances)}"
            for file in client.json(base + asked):
                result.append(
                    {
                        "platform": platform["platform_name"],
                        "path": one["path"],
                        "module": {name: one[name] for name in ("name", "version", "working_copy")},
                        "instance": instance,
                        "location": file["location"],
                        "filename": file["filename"],
                        "content": client.text(_address(str(file["url"]))),
                    }
                )
    return result


def _address(url: str) -> str:
    """The path of a file's address under `/rest`, whichever host the server believes to have."""
    parts = urlsplit(url)
    path = parts.path.removeprefix("/rest")
    path = path if path.startswith("/") else f"/{path}"
    return f"{path}?{parts.query}" if parts.query else path


def _part(text: str) -> str:
    return quote(text, safe="")


def _kind(working_copy: bool) -> str:  # noqa: FBT001
    return "workingcopy" if working_copy else "release"


def _flag(value: object) -> str:
    return "true" if value else "false"
