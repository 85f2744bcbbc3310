"""What HAProxy 2.6 is told: configuration of gateway and edge, maps, runtime commands, and its answers. Pure.

Every connection to a replica carries one request: a program that closes an idle connection can then never take
a request with it, and a drained server is done when its sessions are.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ecluse.engines.docker.judgement import WHOLE, Tally
from ecluse.engines.docker.routing import Backend, Callers, Entrance, Routes, Server

FOLDER = "/run/ecluse"
PUBLIC_PORT = 8080
OUTSIDE = "outside.map"
SECURE_PORT = 8443
CERTIFICATE = "crt/environment.pem"
CERTIFICATES = "crt-list"
CHALLENGES = "challenges.map"
PAYLOAD_CHARACTERS = 15_000
"""What one runtime command may carry (tune.bufsize, 16 KiB)."""
OLD_WORKER_SECONDS = 60
KEEP_ALIVE_SECONDS = 4

_HOST = "%[req.hdr(host),field(1,:),regsub([^A-Za-z0-9._-],,g)]"


@dataclass(frozen=True, slots=True)
class Standing:
    """A server as a running HAProxy reports it. `status` is its word: UP, DOWN, MAINT, DRAIN, no check.

    A server of weight 0 is in DRAIN. tally: what it answered since this worker of HAProxy began.
    """

    backend: str
    server: str
    status: str
    sessions: int
    detail: str
    weight: int = WHOLE
    tally: Tally = field(default_factory=Tally)


def gateway(routes: Routes, *, edge_subnet: str, owner: tuple[int, int]) -> str:
    """The configuration of one environment's gateway.

    Internal names on 80; from the edge, public hosts on 8080, and on 8443 over TLS.
    """
    entrance = routes.entrance or Entrance()
    return "\n".join(
        [
            *_head(owner),
            "",
            "frontend internal",
            "    bind :80",
            *_forwarded("http", 80),
            *_unknown("no service of this environment is called", "names.map"),
            *_declared(),
            "    use_backend %[req.hdr(host),field(1,:),lower,map(/run/ecluse/names.map)]",
            "",
            "frontend public",
            f"    bind :{PUBLIC_PORT}",
            *_from_edge(edge_subnet),
            *_challenged(entrance),
            *_forwarded("http", entrance.http),
            *_unknown("no service of this environment answers to", "hosts.map"),
            *_redirect(entrance),
            "    use_backend %[req.hdr(host),field(1,:),lower,map(/run/ecluse/hosts.map)]",
            *(_secure(entrance, edge_subnet) if entrance.is_secure else ()),
            *_outside(routes.callers.ports),
            *(line for name in sorted(routes.backends) for line in ("", *_backend(routes.backends[name]))),
            "",
        ]
    )


def edge(*, owner: tuple[int, int], secure: bool = False) -> str:
    """The configuration of the machine's edge. It never changes: hosts → gateway addresses are in a map.

    secure: TLS goes through as it is, to the gateway of the host that the client asks for (SNI).
    """
    return "\n".join(
        [
            *_head(owner),
            "",
            "frontend public",
            "    bind :80",
            "    http-request set-var(txn.gateway) "
            "req.hdr(host),field(1,:),lower,map_str_ip(/run/ecluse/hosts.map)",
            _page("http-request return", 404, f"No environment of this machine answers to {_HOST}.", lf=True)
            + " if !{ var(txn.gateway) -m found }",
            "    http-request set-dst var(txn.gateway)",
            f"    http-request set-dst-port int({PUBLIC_PORT})",
            "    default_backend gateways",
            "",
            "backend gateways",
            _page("http-error", 503, "The gateway of this environment does not answer."),
            _page("http-error", 504, "The gateway of this environment did not answer in time."),
            f"    server gateway 0.0.0.0:{PUBLIC_PORT} send-proxy-v2",
            *(_handed_through() if secure else ()),
            "",
        ]
    )


def certificate_list() -> str:
    """The certificates that a gateway shows (configuration manual, `crt-list`)."""
    return f"{FOLDER}/{CERTIFICATE}\n"


def set_certificate(pem: str) -> list[str]:
    """What installs a certificate into a running HAProxy: connections that are open keep the old one."""
    path = f"{FOLDER}/{CERTIFICATE}"
    return [f"set ssl cert {path} <<\n{pem.strip()}\n", f"commit ssl cert {path}"]


def read_fingerprint(answer: str) -> str | None:
    """From `show ssl cert`: the SHA-1 of the certificate that is in use."""
    found = (line.partition(":")[2].strip() for line in answer.splitlines() if "FingerPrint" in line)
    return next(found, None)


def mapping(entries: Mapping[str, str]) -> str:
    """A map file."""
    return "".join(f"{key} {value}\n" for key, value in sorted(entries.items()))


def maps(routes: Routes) -> dict[str, Mapping[str, str]]:
    """The map files of a gateway: what can change while it runs."""
    return {
        "names.map": routes.names,
        "hosts.map": routes.hosts,
        "sources.map": routes.callers.sources,
        "calls.map": dict.fromkeys(routes.callers.calls, "declared"),
        OUTSIDE: dict.fromkeys(routes.callers.outside, "declared"),
    }


def shape(routes: Routes) -> Routes:
    """What only a reload can change: everything but servers, names and hosts."""
    backends = {name: replace(backend, servers=()) for name, backend in routes.backends.items()}
    ports = Callers(outside=tuple(f":{port}" for port in routes.callers.ports))
    return Routes(backends, entrance=routes.entrance, callers=ports)


def add_server(backend: Backend, server: Server) -> list[str]:
    """A dynamic server is UP at once: the replica was probed before. It is checked from then on."""
    path = f"{backend.name}/{server.name}"
    return [f"add server {path} {_server(backend, server)}", f"enable health {path}", f"enable server {path}"]


def weigh(backend: str, server: str, weight: int) -> str:
    """0: what is under way goes on, and nothing new comes."""
    return f"set server {backend}/{server} weight {weight}"


def look_away(backend: str, server: str) -> str:
    """A server that ends on purpose is not to be found dead by its checks."""
    return f"disable health {backend}/{server}"


def ready(backend: str, server: str) -> str:
    return f"set server {backend}/{server} state ready"


def close_sessions(backend: str, server: str) -> str:
    return f"shutdown sessions server {backend}/{server}"


def park(backend: str, server: str) -> str:
    """Maintenance: no traffic, no checks, and the only state from which a server can be deleted."""
    return f"set server {backend}/{server} state maint"


def delete_server(backend: str, server: str) -> str:
    return f"del server {backend}/{server}"


def map_commands(file: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What turns a map in a running HAProxy from `before` into `after`."""
    path = f"{FOLDER}/{file}"
    return [
        *(f"del map {path} {key}" for key in sorted(set(before) - set(after))),
        *(f"add map {path} {key} {after[key]}" for key in sorted(set(after) - set(before))),
        *(
            f"set map {path} {key} {after[key]}"
            for key in sorted(set(after) & set(before))
            if after[key] != before[key]
        ),
    ]


def read_map(answer: str) -> dict[str, str]:
    """From `show map`: lines of reference, key, value."""
    rows = (line.split() for line in answer.splitlines())
    return {row[1]: row[2] for row in rows if len(row) >= 3}


def read_standings(answer: str) -> list[Standing]:
    """From `show stat` (CSV, HAProxy management guide 9.1), servers only."""
    rows = csv.DictReader(answer.lstrip("# ").splitlines())
    return [
        Standing(
            backend=row["pxname"],
            server=row["svname"],
            status=row["status"],
            sessions=int(row["scur"] or 0),
            detail=_why(row["check_status"], row["check_code"]),
            weight=int(row.get("uweight") or WHOLE),
            tally=_tally(row),
        )
        for row in rows
        if row.get("svname") not in (None, "", "FRONTEND", "BACKEND")
    ]


def _tally(row: Mapping[str, str]) -> Tally:
    """Answers by status; `eresp`: those that broke off; `econ`: those that could not even be asked for."""

    def number(column: str) -> int:
        return int(row.get(column) or 0)

    broken = number("eresp") + number("econ")
    answered = sum(number(f"hrsp_{kind}") for kind in ("1xx", "2xx", "3xx", "4xx", "5xx", "other"))
    return Tally(answered + broken, number("hrsp_5xx") + broken, number("rtime") / 1000)


def read_tunnels(answer: str, backend: str) -> Counter[str]:
    """From `show sess`: by server, the connections that no longer speak HTTP, as websockets. They have no analyser
    left on either side (an=00h), where a request or an answer that is under way has one."""
    return Counter(
        name
        for name, analysers in _sessions(answer, backend)
        if len(analysers) == 2 and not any(int(item, 16) for item in analysers)
    )


def read_sessions(answer: str, backend: str) -> Counter[str]:
    """From `show sess`: how many connections each server has."""
    return Counter(name for name, _ in _sessions(answer, backend))


def _sessions(answer: str, backend: str) -> Iterator[tuple[str, list[str]]]:
    for line in answer.splitlines():
        found = re.search(rf" be={re.escape(backend)} srv=(\S+) ", line)
        if found:
            yield found[1], re.findall(r"\ban=([0-9a-f]+)h", line)


def _why(status: str, code: str) -> str:
    """The result of the last health check in words (management guide 9.1, field 36)."""
    match status.removeprefix("* "):
        case "L7STS" | "L7RSP":
            return f"it answers with status {code}" if code else "it answers with something else than HTTP"
        case "L4TOUT" | "L6TOUT" | "L7TOUT":
            return "it does not answer in time"
        case "L4CON":
            return "nothing listens on its port"
        case other:
            return other


def count_old_workers(answer: str) -> int:
    """From the master's `show proc`: workers of earlier configurations that still serve."""
    _, _, rest = answer.partition("# old workers")
    return sum(1 for line in rest.splitlines()[1:] if "worker" in line.partition("#")[0])


def current_worker(answer: str) -> str | None:
    """From the master's `show proc`: the process that serves new connections."""
    _, _, rest = answer.partition("# workers")
    lines = [line for line in rest.partition("# old workers")[0].splitlines()[1:] if "worker" in line]
    return lines[0].split()[0] if lines else None


def _head(owner: tuple[int, int]) -> list[str]:
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


def _handed_through() -> list[str]:
    return [
        "",
        "frontend tls",
        "    mode tcp",
        "    option tcplog",
        "    no option idle-close-on-response",
        "    bind :443",
        "    tcp-request inspect-delay 5s",
        "    tcp-request content reject if !{ req.ssl_hello_type 1 }",
        "    tcp-request content set-var(sess.gateway) req.ssl_sni,lower,map_str_ip(/run/ecluse/hosts.map)",
        "    tcp-request content reject if !{ var(sess.gateway) -m found }",
        "    tcp-request content set-dst var(sess.gateway)",
        f"    tcp-request content set-dst-port int({SECURE_PORT})",
        "    default_backend tls-gateways",
        "",
        "backend tls-gateways",
        "    mode tcp",
        f"    server gateway 0.0.0.0:{SECURE_PORT} send-proxy-v2",
    ]


def _from_edge(subnet: str) -> list[str]:
    return [
        f"    tcp-request connection reject if !{{ src {subnet} }}",
        "    tcp-request connection expect-proxy layer4",
    ]


def _secure(entrance: Entrance, edge_subnet: str) -> list[str]:
    lines = [
        "",
        "frontend tls",
        f"    bind :{SECURE_PORT} ssl crt-list {FOLDER}/{CERTIFICATES} alpn h2,http/1.1 ssl-min-ver TLSv1.2",
        *_from_edge(edge_subnet),
        *_forwarded("https", entrance.https),
    ]
    if entrance.tls.hsts is not None:
        value = _quoted(f"max-age={entrance.tls.hsts}")
        lines.append(f"    http-after-response set-header Strict-Transport-Security {value}")
    return [
        *lines,
        *_unknown("no service of this environment answers to", "hosts.map"),
        "    use_backend %[req.hdr(host),field(1,:),lower,map(/run/ecluse/hosts.map)]",
    ]


def _challenged(entrance: Entrance) -> list[str]:
    """What an ACME server asks to see (RFC 8555, 8.3); paths that nobody asked about go to the service."""
    if not (entrance.is_secure and entrance.tls.mode == "acme"):
        return []
    text = f"path,field(4,/),map({FOLDER}/{CHALLENGES})"
    return [
        f'    http-request return status 200 content-type text/plain lf-string "%[{text}]" '
        f"if {{ path_beg /.well-known/acme-challenge/ }} {{ {text} -m found }}"
    ]


def _redirect(entrance: Entrance) -> list[str]:
    """308 keeps method and body (RFC 9110, 15.4.9); hosts that are unknown were answered before."""
    if not (entrance.is_secure and entrance.tls.redirect):
        return []
    port = "" if entrance.https == 443 else f":{entrance.https}"
    return [
        f"    http-request redirect code 308 location https://%[req.hdr(host),field(1,:),lower]{port}%[pathq]"
    ]


def _forwarded(scheme: str, port: int) -> list[str]:
    """What clients say of themselves is dropped, in any spelling that a program might take for the header."""
    return [
        r"    http-request del-header "
        r"^(forwarded|x[-_]forwarded[-_].*|x[-_]real[-_]ip|x_request[-_]id|x-request_id)$ -m reg",
        "    http-request set-header X-Forwarded-For %[src]",
        f"    http-request set-header X-Forwarded-Proto {scheme}",
        f"    http-request set-header X-Forwarded-Port {port}",
        "    http-request set-header X-Forwarded-Host %[req.hdr(host)]",
        "    acl named req.fhdr(x-request-id) -m reg ^[A-Za-z0-9._-]{1,128}$",
        "    acl named-twice req.fhdr_cnt(x-request-id) gt 1",
        "    http-request del-header X-Request-Id if !named || named-twice",
        "    http-request set-header X-Request-Id %[uuid()] unless { req.fhdr(x-request-id) -m found }",
        *_traced(),
    ]


def _traced() -> list[str]:
    """A traceparent that is valid stays, another is made anew (W3C Trace Context, 2.2 and 3.2)."""
    rest = "-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
    return [
        f"    acl traced req.fhdr(traceparent) -m reg ^00{rest}$ ^(0[1-9a-f]|[1-9a-e][0-9a-f]|f[0-9a-e]){rest}(-.*)?$",
        "    acl traced-by-nobody req.fhdr(traceparent) -m reg ^..-0{32}- ^..-.{32}-0{16}-",
        "    acl traced-twice req.fhdr_cnt(traceparent) gt 1",
        "    http-request del-header tracestate if !traced || traced-by-nobody || traced-twice",
        "    http-request del-header traceparent if !traced || traced-by-nobody || traced-twice",
        "    http-request set-header traceparent "
        "00-%[uuid(),regsub(-,,g)]-%[uuid(),regsub(-,,g),bytes(0,16)]-01 unless traced",
    ]


def _unknown(sentence: str, file: str) -> list[str]:
    known = f"{{ req.hdr(host),field(1,:),lower,map({FOLDER}/{file}) -m found }}"
    capital = sentence[0].upper() + sentence[1:]
    return [_page("http-request return", 404, f"{capital} {_HOST}.", lf=True) + f" if !{known}"]


def _outside(ports: Sequence[int]) -> list[str]:
    """Connections to addresses outside, of services that have no other way out: known by the name that they ask for
    (SNI), which is resolved here, so that nobody chooses another address."""
    if not ports:
        return []
    return [
        "",
        "resolvers outside",
        "    nameserver docker 127.0.0.11:53",
        "    resolve_retries 3",
        "    timeout resolve 1s",
        "    timeout retry 1s",
        "    hold valid 10s",
        "",
        "frontend outside",
        "    mode tcp",
        "    option tcplog",
        "    no option idle-close-on-response",
        *(f"    bind :{port}" for port in ports),
        "    tcp-request inspect-delay 5s",
        f"    tcp-request content set-var(sess.caller) src,map_ip({FOLDER}/sources.map,nobody)",
        "    tcp-request content reject if !{ req.ssl_hello_type 1 }",
        "    tcp-request content set-var(sess.name) req.ssl_sni,lower",
        "    tcp-request content set-var(sess.port) dst_port",
        "    tcp-request content set-var(sess.call) var(sess.caller),concat(/,sess.name),concat(:,sess.port)",
        f"    tcp-request content reject if !{{ var(sess.call),map({FOLDER}/{OUTSIDE}) -m found }}",
        "    tcp-request content do-resolve(sess.address,outside,ipv4) var(sess.name)",
        "    tcp-request content reject if !{ var(sess.address) -m found }",
        "    tcp-request content set-dst var(sess.address)",
        "    default_backend outside",
        "",
        "backend outside",
        "    mode tcp",
        "    server outside 0.0.0.0:0",
    ]


def _declared() -> list[str]:
    """The caller is known by the network that it is on; it reaches what its service.yaml names."""
    caller, name = "%[var(txn.caller)]", "%[var(txn.name)]"
    sentence = f"{caller} does not declare that it uses {name}: add it to `uses` in its service.yaml."
    return [
        "    http-request set-var(txn.name) req.hdr(host),field(1,:),lower",
        f"    http-request set-var(txn.caller) src,map_ip({FOLDER}/sources.map,nobody)",
        "    http-request set-var(txn.call) var(txn.caller),concat(/,txn.name)",
        _page("http-request return", 403, sentence, lf=True)
        + f" if !{{ var(txn.call),map({FOLDER}/calls.map) -m found }}",
    ]


def _backend(backend: Backend) -> list[str]:
    lines = [
        f"backend {backend.name}",
        "    balance roundrobin",
        # on this machine a connection takes no time, or there is nobody: another replica is asked at once, and an
        # only one again a second later. No server is taken out for that: the only one may be back by then
        "    timeout connect 2s",
        f"    timeout check {_milliseconds(backend.timeout)}",
        "    retry-on conn-failure empty-response",
        "    http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
        _page("http-error", 502, f"{backend.subject} closed the connection before it answered."),
        _page("http-error", 503, f"{backend.subject} has no healthy replica."),
        _page("http-error", 504, f"{backend.subject} did not answer in time."),
    ]
    if backend.check is not None:
        lines += [
            "    option httpchk",
            f"    http-check send meth GET uri {_quoted(backend.check)} ver HTTP/1.1 hdr Host {backend.service}",
            "    http-check expect status 200-399",
            # makes the check read the whole answer: a program that is cut short would complain in its log
            '    http-check expect ! string "ecluse waits for the end"',
        ]
    # servers are added at run time too: these settings are for both
    lines.append(f"    default-server {_checking(backend)}")
    return [*lines, *(f"    server {server.name} {_server(backend, server)}" for server in backend.servers)]


def _server(backend: Backend, server: Server) -> str:
    return f"{server.address}:{server.port} weight {server.weight} {_checking(backend)}"


def _checking(backend: Backend) -> str:
    slow, fast = _milliseconds(backend.interval * 2), _milliseconds(backend.interval / 2)
    return f"check inter {slow} fastinter {fast} downinter {fast} fall 3 rise 1"


def _page(directive: str, status: int, sentence: str, *, lf: bool = False) -> str:
    """A small page that says one sentence; with `lf`, HAProxy fills in the expressions in it."""
    page = (
        "<!doctype html><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'>"
        f"<title>{status}</title>"
        "<body style='font:1.1rem/1.5 system-ui;max-width:40rem;margin:20vh auto;padding:0 1rem'>"
        f"<p>{sentence}</p>\n"
    )
    kind = "lf-string" if lf else "string"
    return f'    {directive} status {status} content-type "text/html; charset=utf-8" {kind} {_quoted(page)}'


def _quoted(text: str) -> str:
    """An argument of a configuration line: weak quotes, in which \\ and $ and \" are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return f'"{escaped}"'


def _milliseconds(seconds: float) -> str:
    return f"{max(100, round(seconds * 1000))}ms"


def commands(lines: Iterable[str]) -> str:
    """Several runtime commands on one connection."""
    return ";".join(lines) + "\n"
