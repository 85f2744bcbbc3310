"""Certificates from an ACME server (RFC 8555), shown to be ours by HTTP-01. The only file that knows the library,
which is synchronous: it works in a thread."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ecluse.engines.docker.files import lock, private_folder, read, write_whole
from ecluse.engines.docker.https import certificates
from ecluse.errors import EngineError
from ecluse.model.product import Tls

if TYPE_CHECKING:
    from acme.client import ClientV2
    from acme.messages import ChallengeBody, OrderResource
    from josepy.jwk import JWKEC

ORDER_SECONDS = 120
USER_AGENT = "ecluse"

Show = Callable[[Mapping[str, str]], Awaitable[None]]
"""Makes the public hosts answer, for each token, with its text."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An order at a server, and what it asks to see: token → text."""

    client: ClientV2
    order: OrderResource
    challenges: tuple[ChallengeBody, ...]
    texts: Mapping[str, str]


class Issuance:
    """This machine's account at one directory. Made with the first certificate that is asked for."""

    def __init__(self, machine: Path, tls: Tls) -> None:
        assert tls.directory is not None, "the configuration says where"
        self._tls = tls
        self._directory = tls.directory
        self._folder = machine / "acme" / sha256(tls.directory.encode()).hexdigest()[:16]

    @property
    def server(self) -> str:
        return str(urlsplit(self._directory).hostname)

    async def obtain(self, hosts: Sequence[str], show: Show) -> str:
        """Key, certificate and chain in one text; EngineError with what the server says, or that it is silent."""
        key, request = certificates.request(hosts)
        async with lock(self._folder / "lock", what="asking for a certificate", seconds=ORDER_SECONDS * 2):
            begun = await asyncio.to_thread(self._begin, request)
            await show(begun.texts)
            try:
                chain = await asyncio.to_thread(self._finish, begun)
            finally:
                await show({})
        return key + chain

    def _begin(self, request: str) -> Begun:
        from acme.challenges import HTTP01
        from acme.messages import STATUS_VALID

        with self._told():
            client = self._client()
            order = client.new_order(request.encode())
            asked = [item.body for item in order.authorizations if item.body.status != STATUS_VALID]
            offered = [
                next(
                    (challenge for challenge in item.challenges if isinstance(challenge.chall, HTTP01)), None
                )
                for item in asked
            ]
        if None in offered:
            raise EngineError(f"{self.server} does not offer to look over HTTP (http-01)")
        challenges = tuple(challenge for challenge in offered if challenge is not None)
        texts = {
            challenge.chall.encode("token"): challenge.chall.validation(client.net.key)
            for challenge in challenges
        }
        return Begun(client, order, challenges, texts)

    def _finish(self, begun: Begun) -> str:
        with self._told():
            for challenge in begun.challenges:
                begun.client.answer_challenge(challenge, challenge.response(begun.client.net.key))
            # the library compares with the local time, without a zone
            deadline = datetime.now() + timedelta(seconds=ORDER_SECONDS)
            return str(begun.client.poll_and_finalize(begun.order, deadline).fullchain_pem)

    def _client(self) -> ClientV2:
        from acme import client, errors, messages
        from josepy import jwa

        net = client.ClientNetwork(self._key(), alg=jwa.ES256, user_agent=USER_AGENT)
        if self._tls.authority:
            # `requests` takes a file here too
            net.verify_ssl = self._readable(self._tls.authority)  # type: ignore[assignment]
        found = client.ClientV2(client.ClientV2.get_directory(self._directory, net), net)
        wanted = messages.NewRegistration.from_data(email=self._tls.email, terms_of_service_agreed=True)
        try:
            found.new_account(wanted)
        except errors.ConflictError as error:
            known = messages.RegistrationResource(uri=error.location, body=messages.Registration())
            found.query_registration(known)
        return found

    def _key(self) -> JWKEC:
        from cryptography.hazmat.primitives.asymmetric import ec
        from josepy import jwk

        path = private_folder(self._folder) / "account.json"
        if (text := read(path)) is not None:
            key = jwk.JWK.from_json(json.loads(text))
            assert isinstance(key, jwk.JWKEC), "an account has an elliptic curve key"
            return key
        made = jwk.JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
        write_whole(path, made.json_dumps())
        return made

    def _readable(self, path: str) -> str:
        if not os.access(path, os.R_OK):
            raise EngineError(f"cannot read {path}, which says whom to trust at {self.server}")
        return path

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turns whatever the library raises into our words."""
        import requests
        from acme import errors, messages

        try:
            yield
        except errors.ValidationError as error:
            raise EngineError(f"{self.server} refuses: {_failed(error)}", hint=_REACH) from error
        except messages.Error as error:
            raise EngineError(f"{self.server} refuses: {error.detail or error.typ}") from error
        except errors.TimeoutError as error:
            raise EngineError(f"{self.server} did not issue within {ORDER_SECONDS} s") from error
        except requests.exceptions.SSLError as error:
            hint = "`tls: {authority: FILE}` names the authority of a directory that is not public"
            raise EngineError(f"the certificate of {self.server} is not trusted here", hint=hint) from error
        except requests.RequestException as error:
            raise EngineError(f"{self.server} does not answer ({type(error).__name__})") from error
        except (errors.Error, ValueError, KeyError) as error:
            raise EngineError(f"{self.server} answers with what is not ACME: {error}") from error


def _failed(error: object) -> str:
    """Which host, and what the server saw there."""
    found = []
    for item in getattr(error, "failed_authzrs", ()):
        name = item.body.identifier.value
        found += [
            f"{name}: {challenge.error.detail or challenge.error.typ}"
            for challenge in item.body.challenges
            if challenge.error is not None
        ]
    return "; ".join(found) or "it did not find what it asked for"


_REACH = "it asks each public host on port 80: its name must lead to this machine, from where the server is"
