"""A program that tests tell by variables to behave, or not. Prints every header that it is asked for."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ.get("PORT", "8080"))
NAME = os.environ.get("NAME", "program")
BORN = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health":
            well = os.environ.get("HEALTH", "ok") == "ok"
            return self.answer(200 if well else 500, "well" if well else os.environ["HEALTH"])
        if self.path == "/only-new":
            return self.answer(200 if "WELL" in os.environ else 404, NAME)
        if self.path == "/slow":
            time.sleep(float(os.environ.get("SLOW", "2")))
        if self.path == "/headers":
            return self.answer(200, json.dumps(dict(self.headers.items())))
        if self.path == "/env":
            return self.answer(200, json.dumps(dict(os.environ)))
        return self.answer(200, NAME)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
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


def main():
    print(f"{NAME} starts", flush=True)
    print(os.environ.get("SAY", ""), file=sys.stderr, flush=True)
    if "EXIT" in os.environ:
        sys.exit(int(os.environ["EXIT"]))
    if "EAT" in os.environ:
        hoard = [bytearray(1 << 20) for _ in range(int(os.environ["EAT"]))]
        print(len(hoard))
    time.sleep(float(os.environ.get("DELAY", "0")))
    server = Server(("127.0.0.1" if "LOCAL" in os.environ else "0.0.0.0", PORT), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()
    print(f"{NAME} ends", flush=True)


main()
