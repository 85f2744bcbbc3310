"""A program that tests tell by variables to behave, or not. Prints every header that it is asked for."""

import base64
import hashlib
import json
import os
import signal
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ.get("PORT", "8080"))
NAME = os.environ.get("NAME", "program")
BORN = time.monotonic()
DOWNLOAD = 4 * 2**20
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
GOODBYE = b"\x88\x02\x03\xe9"
websockets = set()
stuck = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health":
            well = os.environ.get("HEALTH", "ok") == "ok" and not stuck
            return self.answer(200 if well else 500, "well" if well else os.environ.get("HEALTH", "stuck"))
        if self.path == "/only-new":
            return self.answer(200 if "WELL" in os.environ else 404, NAME)
        if self.path == "/slow":
            time.sleep(float(os.environ.get("SLOW", "2")))
        if self.path == "/headers":
            return self.answer(200, json.dumps(dict(self.headers.items())))
        if self.path == "/env":
            return self.answer(200, json.dumps(dict(os.environ)))
        if self.path == "/download":
            return self.download()
        if self.path == "/ws":
            return self.websocket()
        time.sleep(float(os.environ.get("LAG", "0")))
        return self.answer(int(os.environ.get("STATUS", "200")), NAME)

    def download(self):
        """In pieces, so that it takes a while."""
        self.send_response(200)
        self.send_header("Content-Length", str(DOWNLOAD))
        self.end_headers()
        for _ in range(16):
            self.wfile.write(bytes(DOWNLOAD // 16))
            time.sleep(0.05)

    def websocket(self):
        """Sends back each small text (RFC 6455); says goodbye when the program is told to end, unless MUTE."""
        accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + GUID).encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        websockets.add(self)
        self.close_connection = True
        try:
            while len(head := self.rfile.read(2)) == 2 and head[0] & 15 != 8:
                mask = self.rfile.read(4)
                text = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(head[1] & 127)))
                self.wfile.write(bytes([0x81, len(text)]) + text)
        except OSError:
            pass
        websockets.discard(self)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(float(os.environ.get("LAG", "0")))
        self.answer(200, f"{NAME} {len(body)}")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A probe that hangs up is nothing to write about: the tests read the log line by line."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def end(server):
    for websocket in list(websockets) if "MUTE" not in os.environ else ():
        websocket.wfile.write(GOODBYE)
    server.shutdown()


def ask_once(url):
    """As programs do that open their connections when they start, and never again."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError as error:
        print(f"{NAME} does without {url}: {error}", flush=True)
        stuck.append(url)


def main():
    print(f"{NAME} starts", flush=True)
    print(os.environ.get("SAY", ""), file=sys.stderr, flush=True)
    if "EXIT" in os.environ:
        sys.exit(int(os.environ["EXIT"]))
    if "EAT" in os.environ:
        hoard = [bytearray(1 << 20) for _ in range(int(os.environ["EAT"]))]
        print(len(hoard))
    time.sleep(float(os.environ.get("DELAY", "0")))
    if "NEEDS" in os.environ:
        ask_once(os.environ["NEEDS"])
    server = Server(("127.0.0.1" if "LOCAL" in os.environ else "0.0.0.0", PORT), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end, args=[server]).start())
    server.serve_forever()
    server.server_close()
    print(f"{NAME} ends", flush=True)


main()
