"""Connections of each protocol, by hand as far as that goes, so that nothing is tried again behind our back."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
import h2.config
import h2.connection
import h2.events
import h2.exceptions

from benchmarks.kinds import TIMEOUT_SECONDS, Kind, Lost, Reply


@dataclass(frozen=True, slots=True)
class Where:
    """Where a service answers. https: the port for TLS, 0 for none; authority: what its certificate is verified by."""

    port: int
    host: str
    https: int = 0
    authority: Path | None = None

    def answers(self, kind: Kind) -> bool:
        return kind.speaks != "h2" or self.https != 0


class Connection(Protocol):
    """One connection: one request after the other."""

    @property
    def was_closed(self) -> bool: ...

    async def ask(self, kind: Kind) -> Reply: ...

    def close(self) -> None: ...


async def connect(where: Where, kind: Kind) -> Connection:
    match kind.speaks:
        case "h2":
            return await Http2.open(where)
        case "websocket":
            return await Websocket.open(where, kind)
        case _:
            return await Http1.open(where)


class Http1:
    """HTTP/1.1 by hand, so that nothing is tried again behind our back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def open(cls, where: Where) -> Http1:
        return cls(*await asyncio.open_connection("127.0.0.1", where.port), where.host)

    @property
    def was_closed(self) -> bool:
        return self._reader.at_eof() or self._writer.is_closing()

    async def ask(self, kind: Kind) -> Reply:
        body = kind.body or b""
        method = "GET" if kind.body is None else "POST"
        head = f"{method} {kind.path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n"
        if not kind.keeps:
            head += "Connection: close\r\n"
        self._writer.write(head.encode() + b"\r\n" + body)
        await self._writer.drain()
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        try:
            answer = await self._reader.readexactly(int(headers.get("content-length", 0)))
        except asyncio.IncompleteReadError as error:
            raise Lost("truncated") from error
        return Reply(int(first.split(" ")[1]), headers, answer)

    def close(self) -> None:
        self._writer.close()


class Http2:
    """HTTP/2 over TLS, one stream at a time. A GOAWAY lets the stream end, then the connection is closed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host
        self._state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._is_leaving = False

    @classmethod
    async def open(cls, where: Where) -> Http2:
        context = ssl.create_default_context(cafile=str(where.authority))
        context.set_alpn_protocols(["h2"])
        streams = await asyncio.open_connection(
            "127.0.0.1", where.https, ssl=context, server_hostname=where.host
        )
        made = cls(*streams, where.host)
        made._state.initiate_connection()
        await made._flush()
        return made

    @property
    def was_closed(self) -> bool:
        return self._is_leaving or self._reader.at_eof() or self._writer.is_closing()

    async def ask(self, kind: Kind) -> Reply:
        stream = self._state.get_next_available_stream_id()
        head = [(":method", "GET"), (":scheme", "https"), (":authority", self._host), (":path", kind.path)]
        try:
            self._state.send_headers(stream, head, end_stream=True)
            await self._flush()
            return await self._answer(stream)
        except h2.exceptions.ProtocolError as error:
            raise Lost(f"protocol: {error}") from error

    async def _answer(self, stream: int) -> Reply:
        headers: dict[str, str] = {}
        body = b""
        while data := await self._reader.read(65536):
            for event in self._state.receive_data(data):
                match event:
                    case h2.events.ResponseReceived() if event.stream_id == stream:
                        headers = {str(name): str(value) for name, value in event.headers or ()}
                    case h2.events.DataReceived() if event.stream_id == stream:
                        body += event.data or b""
                        self._state.acknowledge_received_data(event.flow_controlled_length or 0, stream)
                    case h2.events.StreamReset():
                        raise Lost(f"stream reset with {event.error_code}")
                    case h2.events.ConnectionTerminated():
                        self._is_leaving = True
                    case h2.events.StreamEnded() if event.stream_id == stream:
                        await self._flush()
                        return Reply(int(headers[":status"]), headers, body)
            await self._flush()
        raise Lost("truncated" if headers else "closed without an answer")

    async def _flush(self) -> None:
        self._writer.write(self._state.data_to_send())
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()


class Websocket:
    """Messages that are to come back. Who is told to close (RFC 6455, 5.5.1) connects again and asks there; a
    connection that ends without a word is a loss."""

    def __init__(self, session: aiohttp.ClientSession, where: Where) -> None:
        self._session = session
        self._where = where
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._version = ""

    @classmethod
    async def open(cls, where: Where, kind: Kind) -> Websocket:
        made = cls(aiohttp.ClientSession(), where)
        await made._connect(kind)
        return made

    async def _connect(self, kind: Kind) -> None:
        url = f"http://127.0.0.1:{self._where.port}{kind.path}"
        try:
            self._socket = await self._session.ws_connect(url, headers={"Host": self._where.host})
        except aiohttp.WSServerHandshakeError as error:
            await self._session.close()
            raise Lost(f"status {error.status}") from error
        except aiohttp.ClientError as error:
            await self._session.close()
            raise Lost("no connection") from error

    @property
    def was_closed(self) -> bool:
        return False

    async def ask(self, kind: Kind) -> Reply:
        for _ in range(3):
            assert self._socket is not None, "it was opened"
            if (answer := await self._exchange(self._socket)) is not None:
                return Reply(200, {"x-version": answer}, b"")
            await self._connect(kind)
        raise Lost("told to close three times in a row")

    async def _exchange(self, socket: aiohttp.ClientWebSocketResponse) -> str | None:
        """What came back; None when it was told to close instead."""
        # what came before the end is still to be read: the goodbye, or nothing
        with suppress(ConnectionError):
            await socket.send_str("here")
        message = await socket.receive(TIMEOUT_SECONDS)
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        if socket.close_code == aiohttp.WSCloseCode.GOING_AWAY:
            return None
        raise Lost(f"websocket closed with {socket.close_code}")

    def close(self) -> None:
        closing = asyncio.ensure_future(self._session.close())
        closing.add_done_callback(lambda _: None)
