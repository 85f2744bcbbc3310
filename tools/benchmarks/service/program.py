"""The service that is replaced under load: boots for a fixed time, speaks HTTP/1.1 with keep-alive, ends gracefully.

GET / and /health answer at once, POST /echo with the body, GET /slow after two seconds, GET /download with 8 MiB;
/ws is a websocket that answers each message with its version, and says goodbye at the end.
BROKEN makes /health answer 500: a release that must never get traffic.
"""

import asyncio
import base64
import hashlib
import os
import signal
import time

PORT = 8080
SLOW_SECONDS = 2.0
GRACE_SECONDS = 15.0
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
GOODBYE = b"\x88\x02\x03\xe9"
DOWNLOAD = bytes(8 * 2**20)
VERSION = os.environ.get("VERSION", "")
BROKEN = os.environ.get("BROKEN", "false") == "true"


class Program:
    """Counts what is under way, so that the end can wait for it."""

    def __init__(self):
        self.is_ending = False
        self.connections = set()
        self.idle = set()
        self.websockets = set()

    async def serve(self, reader, writer):
        self.connections.add(writer)
        try:
            while not self.is_ending:
                self.idle.add(writer)
                head = await reader.readuntil(b"\r\n\r\n")
                self.idle.discard(writer)
                await self.answer(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connections.discard(writer)
            self.idle.discard(writer)
            writer.close()

    async def answer(self, head, reader, writer):
        line, *headers = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ", 2)
        if path == "/ws":
            return await self.converse(headers, reader, writer)
        length = next((int(h.split(":")[1]) for h in headers if h.lower().startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        status, answer = await self.content(method, path, body)
        closes = "Connection: close\r\n" if self.is_ending else ""
        writer.write(
            f"HTTP/1.1 {status}\r\nX-Version: {VERSION}\r\nContent-Length: {len(answer)}\r\n{closes}\r\n".encode()
        )
        writer.write(answer)
        await writer.drain()

    async def converse(self, headers, reader, writer):
        """A websocket (RFC 6455): small masked texts come, small texts go."""
        key = next(h.split(":", 1)[1].strip() for h in headers if h.lower().startswith("sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        self.websockets.add(writer)
        try:
            while (head := await reader.readexactly(2))[0] & 15 != 8:
                await reader.readexactly(4 + (head[1] & 127))
                writer.write(bytes([0x81, len(VERSION)]) + VERSION.encode())
        finally:
            self.websockets.discard(writer)
        raise ConnectionError

    async def content(self, method, path, body):
        if path == "/health":
            return ("500 Broken", b"broken on purpose\n") if BROKEN else ("200 OK", b"well\n")
        if path == "/slow":
            await asyncio.sleep(SLOW_SECONDS)
        if path == "/download":
            return "200 OK", DOWNLOAD
        return "200 OK", body if method == "POST" else b"here\n"

    async def run(self):
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        server = await asyncio.start_server(self.serve, "0.0.0.0", PORT, backlog=512)
        await ended.wait()
        self.is_ending = True
        server.close()
        for writer in list(self.idle):
            writer.close()
        for writer in list(self.websockets):
            writer.write(GOODBYE)
        limit = time.monotonic() + GRACE_SECONDS
        while self.connections and time.monotonic() < limit:
            await asyncio.sleep(0.02)


time.sleep(float(os.environ.get("BOOT_SECONDS", "1")))
asyncio.run(Program().run())
