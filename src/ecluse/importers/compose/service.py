"""One service of a Compose file → a service.yaml, and what has no equivalent. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ecluse.importers.compose.read import Value, mapping, texts
from ecluse.importers.draft import Flow
from ecluse.importers.recognise import is_secret_name, secret_reason
from ecluse.model.service import Plain

Tell = Callable[[str, str], None]
"""(key of the service, what of it) that has no equivalent, or another one."""

_IGNORED: Mapping[str, str] = {
    "container_name": "names are given here: <product>-<environment>-<service>",
    "restart": "a replica that ends is started again",
    "networks": "services that `uses:` each other reach each other",
    "hostname": "a service is reached under its name",
    "links": "services that `uses:` each other reach each other",
    "logging": "logs are read with `ecluse logs`",
    "labels": "labels are ours; a public name is `expose: {host: …}`",
    "volumes": "nothing ties a service to a machine: keep files in s3, sessions in redis, settings in `files:`",
    "tmpfs": "a container's own disk is there until it is replaced",
    "entrypoint": "the entrypoint is the image's: write ENTRYPOINT into its Dockerfile",
    "user": "write USER into the Dockerfile",
    "working_dir": "write WORKDIR into the Dockerfile",
    "privileged": "a service has no privileges here",
    "cap_add": "a service has no privileges here",
    "devices": "a service has no devices here",
    "secrets": "declare them `secret: true` in the contract, and give them with `ecluse secrets set`",
    "configs": "a settings file is a template under `files:`",
    "profiles": "every service is in every environment; `replicas: 0` keeps one from running",
    "extra_hosts": "list an address under `uses:`",
    "network_mode": "a service has the network of its environment",
    "extends": "write out what it takes from there",
    "develop": "the image that is tested is the one that runs",
    "pull_policy": "images are built, and pinned by their content",
}
_TAKEN = frozenset(
    {"image", "build", "command", "ports", "expose", "healthcheck", "environment", "env_file", "depends_on", "deploy",
     "mem_limit", "cpus", "stop_grace_period", "scale"}
)  # fmt: skip
_PORT = re.compile(r"(?:(?P<host>.*):)?(?P<target>\d{1,5})(?:-\d{1,5})?(?:/(?P<protocol>tcp|udp))?")
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([bkmgBKMG]?)[bB]?")
_DURATION = re.compile(r"(?:\d{1,6}(?:\.\d{1,3})?(?:us|ms|s|m|h))+")
_FETCHED = re.compile(r"\bhttp://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::(\d{1,5}))?(/[^\s\"'|;&]*)?")


@dataclass(slots=True)
class Built:
    """A service: its service.yaml apart from the contract, and its `run:`.

    folder: where its source is, relative to the Compose file; None without a build there.
    """

    process: dict[str, Plain] = field(default_factory=dict)
    image: dict[str, Plain] = field(default_factory=dict)
    replicas: int | None = None
    folder: str | None = None
    base: str | None = None


def built(service: Mapping[str, Value], name: str, tell: Tell) -> Built:
    result = Built()
    for key in service:
        if key in _IGNORED:
            for one in _each(service[key]):
                tell(key, f"{one}{_IGNORED[key]}")
        elif key not in _TAKEN and not key.startswith("x-"):
            tell(key, "has no equivalent")
    _image(result, service, tell)
    _command(result, service.get("command"), tell)
    _ports(result, service, name, tell)
    _probe(result, mapping(service.get("healthcheck")), tell)
    _limits(result, service, tell)
    if grace := _duration(service.get("stop_grace_period")):
        result.process["stop_grace"] = grace
        if (seconds := _seconds(grace)) <= 10:
            result.process["drain"] = f"{seconds / 2:g}s"
    return result


def _each(value: Value) -> list[str]:
    """Each mount of a list, to be told one by one."""
    found = texts(value) if isinstance(value, list) else []
    found += (
        [f"{one.get('source')}:{one.get('target')}" for one in value if isinstance(one, dict)]
        if isinstance(value, list)
        else []
    )
    return [f"{one}: " for one in found] or [""]


def _image(result: Built, service: Mapping[str, Value], tell: Tell) -> None:
    build = service.get("build")
    if build is None:
        result.base = str(service.get("image") or "")
        tell(
            "image",
            f"{result.base or 'nothing'} is no image of yours: a Dockerfile that begins with it stands in",
        )
        return
    facts = mapping(build) if isinstance(build, dict) else {"context": build}
    result.folder = str(facts.get("context") or ".")
    if isinstance(dockerfile := facts.get("dockerfile"), str) and dockerfile != "Dockerfile":
        result.image["dockerfile"] = dockerfile
    if isinstance(target := facts.get("target"), str):
        result.image["target"] = target
    for key in facts:
        if key not in ("context", "dockerfile", "target"):
            tell(f"build.{key}", "has no equivalent: what a build needs stands in the Dockerfile")


def _command(result: Built, command: Value, tell: Tell) -> None:
    try:
        words = shlex.split(command) if isinstance(command, str) else texts(command)
    except ValueError:
        tell("command", "cannot be split into words: write it as a list")
        return
    if not words:
        return
    if holds_secret(words):
        tell(
            "command",
            "holds what looks like a secret, and was left out: give it as a `secret: true` variable",
        )
        return
    result.process["command"] = [*words]


def holds_secret(words: list[str]) -> bool:
    """Whether a command line has a secret in plain: `--password=x`, `--token x`, an address with a password."""
    for index, word in enumerate(words):
        option, separator, value = word.partition("=")
        name = option.lstrip("-").replace("-", "_")
        if separator and is_secret_name(name) and value:
            return True
        is_option = word.startswith("-") and (is_secret_name(name) or name in ("requirepass", "masterauth"))
        if is_option and not separator and index + 1 < len(words) and not words[index + 1].startswith("-"):
            return True
        if secret_reason("word", word):
            return True
    return len(words) < 40 and any(
        " " in word and holds_secret(word.split()) for word in words if " " in word
    )


def _ports(result: Built, service: Mapping[str, Value], name: str, tell: Tell) -> None:
    published: list[tuple[str, str]] = []
    listed = service.get("ports")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict):
            target, host, protocol = one.get("target"), one.get("published"), one.get("protocol")
        else:
            found = _PORT.fullmatch(one) if isinstance(one, str) else None
            target, host, protocol = (
                (found["target"], found["host"], found["protocol"]) if found else (None,) * 3
            )
        if (
            not isinstance(target, str)
            or not target.isdecimal()
            or not 0 < int(target) < 65536
            or protocol == "udp"
        ):
            tell("ports", f"{one if isinstance(one, str) else target} has no equivalent")
        else:
            published.append((target, str(host or target)))
    inner = [one for one in texts(service.get("expose")) if one.isdecimal() and 0 < int(one) < 65536]
    if not published and not inner:
        return
    port = published[0][0] if published else inner[0]
    result.process["port"] = int(port)
    if published:
        result.process["expose"] = Flow(host=name)
        tell("ports", f"was reached at {published[0][1]}: here under {name}.<the environment's domain>")
    for target, _ in published[1:]:
        tell("ports", f"a process has one port: {target} needs a process of its own")


def _probe(result: Built, check: Mapping[str, Value], tell: Tell) -> None:
    test = check.get("test")
    words = texts(test)
    if check.get("disable") == "true" or words[:1] == ["NONE"] or not words:
        return
    if isinstance(test, str) or words[0] == "CMD-SHELL":
        line = test if isinstance(test, str) else " ".join(words[1:])
        words = ["sh", "-c", str(line)]
    elif words[0] == "CMD":
        words = words[1:]
    if not words:
        return
    if holds_secret(words):
        tell("healthcheck", "holds what looks like a secret, and was left out")
        return
    probe: dict[str, Plain] = {}
    fetched = _FETCHED.search(" ".join(words))
    if fetched and str(result.process.get("port")) == (fetched[1] or "80"):
        probe["path"] = fetched[2] or "/"
    else:
        probe["command"] = [*words]
    for ours in ("interval", "timeout"):
        if duration := _duration(check.get(ours)):
            probe[ours] = duration
    if deadline := _deadline(check):
        probe["deadline"] = deadline
    result.process["probe"] = probe


def _deadline(check: Mapping[str, Value]) -> str | None:
    """How long a start may take: the start period and as many tries as are allowed."""
    start, retries = check.get("start_period"), check.get("retries")
    if start is None and retries is None:
        return None
    tries = int(retries) if isinstance(retries, str) and retries.isdecimal() and int(retries) < 1000 else 3
    interval = _seconds(_duration(check.get("interval")) or "30s")
    total = _seconds(_duration(start) or "0s") + tries * interval
    return f"{total:g}s" if total <= 86400 else None


def _limits(result: Built, service: Mapping[str, Value], tell: Tell) -> None:
    deploy = mapping(service.get("deploy"))
    resources = mapping(deploy.get("resources"))
    limits = mapping(resources.get("limits"))
    for ours, read, given in (
        ("cpu", _cpu, limits.get("cpus") or service.get("cpus")),
        ("memory", _size, limits.get("memory") or service.get("mem_limit")),
    ):
        if isinstance(given, str) and (value := read(given)):
            result.process[ours] = value
        elif given is not None:
            tell("deploy.resources", f"its {ours} cannot be read")
    replicas = deploy.get("replicas") or service.get("scale")
    if isinstance(replicas, str) and replicas.isdecimal() and int(replicas[:5]) <= 1000:
        result.replicas = int(replicas)
    for key in deploy.keys() - {"resources", "replicas", "mode"}:
        tell(f"deploy.{key}", "has no equivalent")
    for key in resources.keys() - {"limits"}:
        tell(f"deploy.resources.{key}", "has no equivalent: cpu and memory are what it gets, and its limit")


def _cpu(text: str) -> str | None:
    try:
        millis = int(Fraction(text) * 1000) if len(text) < 20 and "e" not in text.lower() else 0
    except (ValueError, ZeroDivisionError):
        millis = 0
    return f"{millis}m" if 0 < millis <= 1_024_000 else None


def _size(text: str) -> str | None:
    """Compose counts in powers of 1024."""
    found = _SIZE.fullmatch(text)
    if not found:
        return None
    size = int(Fraction(found[1]) * {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[found[2].lower()])
    for unit, power in (("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024)):
        if size >= power and size % power == 0:
            return f"{size // power}{unit}"
    return f"{max(1, size // 1024)}Ki" if 0 < size < 2**60 else None


def _duration(value: Value) -> str | None:
    """A duration as ours: `1m30s`, `500ms`."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        return None
    seconds = _seconds(value)
    return f"{seconds:g}s" if 0 < seconds <= 86400 and seconds >= 0.001 else None


def _seconds(text: str) -> float:
    units = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum(
        float(number) * units[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)", text)
    )
