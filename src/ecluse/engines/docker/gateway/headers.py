"""What a gateway says of a request to the program behind it: where it came from, and which request it is. Pure."""

from __future__ import annotations


def forwarded(scheme: str, port: int) -> list[str]:
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
