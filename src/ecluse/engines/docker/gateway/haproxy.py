"""The words of HAProxy 2.6's files that gateway and edge have in common: head, pages, maps, quoting. Pure."""

from __future__ import annotations

from collections.abc import Mapping

FOLDER = "/run/ecluse"
"""Where its files are mounted."""
PUBLIC_PORT = 8080
SECURE_PORT = 8443
OLD_WORKER_SECONDS = 60
KEEP_ALIVE_SECONDS = 4
HOST = "%[req.hdr(host),field(1,:),regsub([^A-Za-z0-9._-],,g)]"
"""What a client asked for, fit to be shown."""


def head(owner: tuple[int, int]) -> list[str]:
    """owner: who may speak to its socket (uid and gid)."""
    uid, gid = owner
    return [
        "# written by ecluse, and written over by it",
        "global",
        "    log stdout format raw local0 warning",
        f"    stats socket {FOLDER}/admin.sock mode 600 uid {uid} gid {gid} level admin expose-fd listeners",
        "    maxconn 8000",
        "    nbthread 2",
        "    user haproxy",
        "    group haproxy",
        f"    hard-stop-after {OLD_WORKER_SECONDS}s",
        "",
        "defaults",
        "    mode http",
        "    log global",
        "    option httplog",
        "    option dontlog-normal",
        "    option http-server-close",
        "    option idle-close-on-response",
        "    option redispatch 1",
        "    retries 3",
        "    timeout connect 5s",
        "    timeout client 60s",
        "    timeout server 300s",
        "    timeout tunnel 1h",
        "    timeout queue 30s",
        "    timeout http-request 30s",
        f"    timeout http-keep-alive {KEEP_ALIVE_SECONDS}s",
    ]


def mapping(entries: Mapping[str, str]) -> str:
    """A map file."""
    return "".join(f"{key} {value}\n" for key, value in sorted(entries.items()))


def page(directive: str, status: int, sentence: str, *, lf: bool = False) -> str:
    """A small page that says one sentence; with `lf`, HAProxy fills in the expressions in it."""
    page = (
        "<!doctype html><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'>"
        f"<title>{status}</title>"
        "<body style='font:1.1rem/1.5 system-ui;max-width:40rem;margin:20vh auto;padding:0 1rem'>"
        f"<p>{sentence}</p>\n"
    )
    kind = "lf-string" if lf else "string"
    return f'    {directive} status {status} content-type "text/html; charset=utf-8" {kind} {quoted(page)}'


def quoted(text: str) -> str:
    """An argument of a configuration line: weak quotes, in which \\ and $ and \" are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return f'"{escaped}"'


def milliseconds(seconds: float) -> str:
    return f"{max(100, round(seconds * 1000))}ms"
