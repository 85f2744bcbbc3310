import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        import time

        time.sleep(60)

    def log_message(self, *_):
        pass


print("ready soon", flush=True)
http.server.HTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
