"""What HAProxy 2.6 is told in files: the configuration of gateway and edge, and maps. Pure (while it runs: runtime.py).

Every connection to a replica carries one request: a program that closes an idle connection can then never take
a request with it, and a drained server is done when its sessions are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ecluse.engines.docker.routing import Backend, Callers, Entrance, Routes, Server

FOLDER = "/run/ecluse"
PUBLIC_PORT = 8080
OUTSIDE = "outside.map"
SECURE_PORT = 8443
CERTIFICATE = "crt/environment.pem"
CERTIFICATES = "crt-list"
CHALLENGES = "challenges.map"
OLD_WORKER_SECONDS = 60
KEEP_ALIVE_SECONDS = 4

_HOST = "%[req.hdr(host),field(1,:),regsub([^A-Za-z0-9._-],,g)]"


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
    return [
        *lines,
        *(f"    server {server.name} {server_line(backend, server)}" for server in backend.servers),
    ]


def server_line(backend: Backend, server: Server) -> str:
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
