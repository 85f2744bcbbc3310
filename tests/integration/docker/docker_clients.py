"""Clients that never try again, for kinds of requests that http.client does not make: HTTP/2, websockets."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import h2.config
import h2.connection
import h2.events

SECONDS = 30.0


class Broken(Exception):
    """A request without a good answer."""


@dataclass
class Http2:
    """One HTTP/2 connection over TLS, opened anew when the gateway says goodbye (GOAWAY)."""

    port: int
    host: str
    authority: Path
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None
    _state: h2.connection.H2Connection | None = None

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body. Broken when the answer does not come whole."""
        async with asyncio.timeout(SECONDS):
            if self._state is None:
                await self._open()
            assert self._state is not None
            stream = self._state.get_next_available_stream_id()
            head = [(":method", "GET"), (":scheme", "https"), (":authority", self.host), (":path", path)]
            self._state.send_headers(stream, head, end_stream=True)
            await self._flush()
            return await self._answer(stream)

    async def _open(self) -> None:
        context = ssl.create_default_context(cafile=str(self.authority))
        context.set_alpn_protocols(["h2"])
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context, server_hostname=self.host
        )
        self._state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._state.initiate_connection()
        await self._flush()

    async def _flush(self) -> None:
        assert self._writer is not None
        assert self._state is not None
        self._writer.write(self._state.data_to_send())
        await self._writer.drain()

    async def _answer(self, stream: int) -> tuple[int, bytes]:
        assert self._reader is not None
        assert self._state is not None
        status, body, is_leaving = 0, b"", False
        while True:
            data = await self._reader.read(65536)
            if not data:
                raise Broken("closed before the end of the answer")
            for event in self._state.receive_data(data):
                match event:
                    case h2.events.ResponseReceived() if event.stream_id == stream:
                        status = int(dict(event.headers)[":status"])  # type: ignore[arg-type]
                    case h2.events.DataReceived() if event.stream_id == stream:
                        body += event.data
                        self._state.acknowledge_received_data(event.flow_controlled_length, stream)
                    case h2.events.StreamReset():
                        raise Broken(f"reset with {event.error_code}")
                    case h2.events.ConnectionTerminated():
                        # what was sent before is answered still (RFC 9113, 6.8)
                        is_leaving = True
                    case h2.events.StreamEnded() if event.stream_id == stream:
                        await self._flush()
                        if is_leaving:
                            self.close()
                        return status, body
            await self._flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._state = None


@dataclass
class Socket:
    """A websocket that says something all the time, and how it ended."""

    url: str
    host: str
    echoed: int = 0
    codes: list[int | None] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    async def talk(self, stop: asyncio.Event) -> None:
        """Connects again when it is told to close, as browsers' programs do."""
        async with aiohttp.ClientSession() as session:
            while not stop.is_set():
                async with session.ws_connect(f"{self.url}/ws", headers={"Host": self.host}) as socket:
                    await self._converse(socket, stop)

    async def _converse(self, socket: aiohttp.ClientWebSocketResponse, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(ConnectionError):
                await socket.send_str("here")
            message = await socket.receive(SECONDS)
            if message.type is not aiohttp.WSMsgType.TEXT:
                self.codes.append(socket.close_code)
                return
            self.echoed += 1
            await asyncio.sleep(0.02)
