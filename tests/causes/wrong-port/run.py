import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"well"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


print("ready soon", flush=True)
http.server.HTTPServer(("0.0.0.0", 9000), Handler).serve_forever()
