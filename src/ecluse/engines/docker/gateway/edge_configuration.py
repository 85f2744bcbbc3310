"""The configuration of the machine's edge, which hands each host to the gateway of its environment. Pure."""

from __future__ import annotations

from ecluse.engines.docker.gateway import haproxy
from ecluse.engines.docker.gateway.haproxy import FOLDER, HOST, PUBLIC_PORT, SECURE_PORT


def configuration(*, owner: tuple[int, int], secure: bool = False) -> str:
    """The configuration of the machine's edge. It never changes: hosts → gateway addresses are in a map.

    secure: TLS goes through as it is, to the gateway of the host that the client asks for (SNI).
    """
    return "\n".join(
        [
            *haproxy.head(owner),
            "",
            "frontend public",
            "    bind :80",
            "    http-request set-var(txn.gateway) "
            f"req.hdr(host),field(1,:),lower,map_str_ip({FOLDER}/hosts.map)",
            haproxy.page(
                "http-request return", 404, f"No environment of this machine answers to {HOST}.", lf=True
            )
            + " if !{ var(txn.gateway) -m found }",
            "    http-request set-dst var(txn.gateway)",
            f"    http-request set-dst-port int({PUBLIC_PORT})",
            "    default_backend gateways",
            "",
            "backend gateways",
            haproxy.page("http-error", 503, "The gateway of this environment does not answer."),
            haproxy.page("http-error", 504, "The gateway of this environment did not answer in time."),
            f"    server gateway 0.0.0.0:{PUBLIC_PORT} send-proxy-v2",
            *(_handed_through() if secure else ()),
            "",
        ]
    )


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
        f"    tcp-request content set-var(sess.gateway) req.ssl_sni,lower,map_str_ip({FOLDER}/hosts.map)",
        "    tcp-request content reject if !{ var(sess.gateway) -m found }",
        "    tcp-request content set-dst var(sess.gateway)",
        f"    tcp-request content set-dst-port int({SECURE_PORT})",
        "    default_backend tls-gateways",
        "",
        "backend tls-gateways",
        "    mode tcp",
        f"    server gateway 0.0.0.0:{SECURE_PORT} send-proxy-v2",
    ]
