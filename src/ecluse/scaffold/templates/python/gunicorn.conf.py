"""How gunicorn serves {{service}}: one process with threads; replicas are what adds processes."""

import json
import sys
from datetime import datetime, timezone

from gunicorn.glogging import Logger

bind = "0.0.0.0:8080"
workers = 1
threads = 8
graceful_timeout = 15
# A heartbeat on the container's disk can block; this one is in memory.
worker_tmp_dir = "/dev/shm"
# Longer than a proxy in front keeps an idle connection, so that the proxy closes first.
keepalive = 75


class JsonLines(Logger):
    """One JSON line per visit on standard output; probes leave none."""

    def access(self, response, request, environ, duration):
        if environ["PATH_INFO"] == "/health":
            return
        line = {
            "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "service": "{{service}}",
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "status": int(str(response.status).split()[0]),
            "ms": round(duration.total_seconds() * 1000),
            "traceparent": environ.get("HTTP_TRACEPARENT"),
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


logger_class = JsonLines
