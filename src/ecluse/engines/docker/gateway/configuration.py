"""The configuration of one environment's gateway: who comes in, what is asked of them, and where they go. Pure.

Every connection to a replica carries one request: a program that closes an idle connection can then never take
a request with it, and a drained server is done when its sessions are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ecluse.engines.docker.gateway import haproxy
from ecluse.engines.docker.gateway.haproxy import FOLDER, HOST, PUBLIC_PORT, SECURE_PORT
from ecluse.engines.docker.gateway.headers import forwarded
from ecluse.engines.docker.gateway.routing import Backend, Callers, Entrance, Routes, Server

OUTSIDE = "outside.map"
CERTIFICATE = "crt/environment.pem"
CERTIFICATES = "crt-list"
CHALLENGES = "challenges.map"


def gateway(routes: Routes, *, edge_subnet: str, owner: tuple[int, int]) -> str:
    """The configuration of one environment's gateway.

    Internal names on 80; from the edge, public hosts on 8080, and on 8443 over TLS.
    """
    entrance = routes.entrance or Entrance()
    return "\n".join(
        [
            *haproxy.head(owner),
            "",
            "frontend internal",
            "    bind :80",
            *forwarded("http", 80),
            *_unknown("no service of this environment is called", "names.map"),
            *_declared(),
            f"    use_backend %[req.hdr(host),field(1,:),lower,map({FOLDER}/names.map)]",
            "",
            "frontend public",
            f"    bind :{PUBLIC_PORT}",
            *_from_edge(edge_subnet),
            *_challenged(entrance),
            *forwarded("http", entrance.http),
            *_unknown("no service of this environment answers to", "hosts.map"),
            *_redirect(entrance),
            f"    use_backend %[req.hdr(host),field(1,:),lower,map({FOLDER}/hosts.map)]",
            *(_secure(entrance, edge_subnet) if entrance.is_secure else ()),
            *_outside(routes.callers.ports),
            *(line for name in sorted(routes.backends) for line in ("", *_backend(routes.backends[name]))),
            "",
        ]
    )


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


def certificate_list() -> str:
    """The certificates that a gateway shows (configuration manual, `crt-list`)."""
    return f"{FOLDER}/{CERTIFICATE}\n"


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
        *forwarded("https", entrance.https),
    ]
    if entrance.tls.hsts is not None:
        value = haproxy.quoted(f"max-age={entrance.tls.hsts}")
        lines.append(f"    http-after-response set-header Strict-Transport-Security {value}")
    return [
        *lines,
        *_unknown("no service of this environment answers to", "hosts.map"),
        f"    use_backend %[req.hdr(host),field(1,:),lower,map({FOLDER}/hosts.map)]",
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


def _unknown(sentence: str, file: str) -> list[str]:
    known = f"{{ req.hdr(host),field(1,:),lower,map({FOLDER}/{file}) -m found }}"
    capital = sentence[0].upper() + sentence[1:]
    return [haproxy.page("http-request return", 404, f"{capital} {HOST}.", lf=True) + f" if !{known}"]


def _declared() -> list[str]:
    """The caller is known by the network that it is on; it reaches what its service.yaml names."""
    caller, name = "%[var(txn.caller)]", "%[var(txn.name)]"
    sentence = f"{caller} does not declare that it uses {name}: add it to `uses` in its service.yaml."
    return [
        "    http-request set-var(txn.name) req.hdr(host),field(1,:),lower",
        f"    http-request set-var(txn.caller) src,map_ip({FOLDER}/sources.map,nobody)",
        "    http-request set-var(txn.call) var(txn.caller),concat(/,txn.name)",
        haproxy.page("http-request return", 403, sentence, lf=True)
        + f" if !{{ var(txn.call),map({FOLDER}/calls.map) -m found }}",
    ]


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


def _backend(backend: Backend) -> list[str]:
    lines = [
        f"backend {backend.name}",
        "    balance roundrobin",
        # on this machine a connection takes no time, or there is nobody: another replica is asked at once, and an
        # only one again a second later. No server is taken out for that: the only one may be back by then
        "    timeout connect 2s",
        f"    timeout check {haproxy.milliseconds(backend.timeout)}",
        "    retry-on conn-failure empty-response",
        "    http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
        haproxy.page("http-error", 502, f"{backend.subject} closed the connection before it answered."),
        haproxy.page("http-error", 503, f"{backend.subject} has no healthy replica."),
        haproxy.page("http-error", 504, f"{backend.subject} did not answer in time."),
    ]
    if backend.check is not None:
        lines += [
            "    option httpchk",
            f"    http-check send meth GET uri {haproxy.quoted(backend.check)} ver HTTP/1.1 hdr Host {backend.service}",
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
    slow, fast = haproxy.milliseconds(backend.interval * 2), haproxy.milliseconds(backend.interval / 2)
    return f"check inter {slow} fastinter {fast} downinter {fast} fall 3 rise 1"
