"""How gunicorn serves: one process with a few threads, access log as JSON lines."""

from datetime import UTC, datetime

from gunicorn.glogging import Logger

bind = "0.0.0.0:8080"
workers = 1
threads = 8
graceful_timeout = 20
# A heartbeat on the container's disk can block; this one is in memory.
worker_tmp_dir = "/dev/shm"
# Longer than a proxy in front keeps an idle connection, so that the proxy closes first.
keepalive = 75
accesslog = "-"
access_log_format = (
    '{"time":"%(t)s","service":"payroll","method":"%(m)s","path":"%(U)s",'
    '"status":%(s)s,"ms":%(M)s,"traceparent":"%({traceparent}i)s"}'
)


class JsonLines(Logger):
    """The access log of visits; probes leave no line."""

    def now(self):
        return datetime.now(UTC).isoformat(timespec="seconds")

    def access(self, resp, req, environ, request_time):
        if environ["PATH_INFO"] not in ("/health", "/ready"):
            super().access(resp, req, environ, request_time)


logger_class = JsonLines
