from __future__ import annotations

from dataclasses import replace

from ecluse.engines.docker.gateway import configuration, edge_configuration, runtime
from ecluse.engines.docker.gateway.routing import (
    Backend,
    Entrance,
    Routes,
    Server,
    asks_otherwise,
    joined,
    routed,
)
from ecluse.engines.docker.judgement import Tally
from ecluse.model.application import ReleaseId
from ecluse.model.names import ServiceName
from ecluse.model.product import Tls
from ecluse.model.service import Probe, Process
from ecluse.model.workload import Box, Workload

EXPECTED_PUBLIC = """\
frontend public
    bind :8080
    tcp-request connection reject if !{ src 10.213.4.0/24 }
    tcp-request connection expect-proxy layer4
{forwarded http 8000}
    http-request return status 404 content-type "text/html; charset=utf-8" lf-string "{404}" {unless known}
    http-request redirect code 308 location https://%[req.hdr(host),field(1,:),lower]:8443%[pathq]
    use_backend %[req.hdr(host),field(1,:),lower,map(/run/ecluse/hosts.map)]

frontend tls
    bind :8443 ssl crt-list /run/ecluse/crt-list alpn h2,http/1.1 ssl-min-ver TLSv1.2
    tcp-request connection reject if !{ src 10.213.4.0/24 }
    tcp-request connection expect-proxy layer4
{forwarded https 8443}
    http-after-response set-header Strict-Transport-Security "max-age=31536000"
    http-request return status 404 content-type "text/html; charset=utf-8" lf-string "{404}" {unless known}
    use_backend %[req.hdr(host),field(1,:),lower,map(/run/ecluse/hosts.map)]
"""
EXPECTED_FORWARDED = """\
    http-request del-header ^(forwarded|x[-_]forwarded[-_].*|x[-_]real[-_]ip|x_request[-_]id|x-request_id)$ -m reg
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto {scheme}
    http-request set-header X-Forwarded-Port {port}
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    acl named req.fhdr(x-request-id) -m reg ^[A-Za-z0-9._-]{1,128}$
    acl named-twice req.fhdr_cnt(x-request-id) gt 1
    http-request del-header X-Request-Id if !named || named-twice
    http-request set-header X-Request-Id %[uuid()] unless { req.fhdr(x-request-id) -m found }
    acl traced req.fhdr(traceparent) -m reg ^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$ \
^(0[1-9a-f]|[1-9a-e][0-9a-f]|f[0-9a-e])-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$
    acl traced-by-nobody req.fhdr(traceparent) -m reg ^..-0{32}- ^..-.{32}-0{16}-
    acl traced-twice req.fhdr_cnt(traceparent) gt 1
    http-request del-header tracestate if !traced || traced-by-nobody || traced-twice
    http-request del-header traceparent if !traced || traced-by-nobody || traced-twice
    http-request set-header traceparent 00-%[uuid(),regsub(-,,g)]-%[uuid(),regsub(-,,g),bytes(0,16)]-01 unless traced
"""
EXPECTED_EDGE_TLS = """\

frontend tls
    mode tcp
    option tcplog
    no option idle-close-on-response
    bind :443
    tcp-request inspect-delay 5s
    tcp-request content reject if !{ req.ssl_hello_type 1 }
    tcp-request content set-var(sess.gateway) req.ssl_sni,lower,map_str_ip(/run/ecluse/hosts.map)
    tcp-request content reject if !{ var(sess.gateway) -m found }
    tcp-request content set-dst var(sess.gateway)
    tcp-request content set-dst-port int(8443)
    default_backend tls-gateways

backend tls-gateways
    mode tcp
    server gateway 0.0.0.0:8443 send-proxy-v2
"""
WEB = Backend("invoicing", "web", 8080, "/health", 1.0, 2.0, (Server("r-1", "10.213.1.0", 8080),))
ROUTES = Routes({WEB.name: WEB}, {"invoicing": WEB.name}, {"invoicing.test.localhost": WEB.name})

EXPECTED_BACKEND = """\
backend invoicing.web
    balance roundrobin
    timeout connect 2s
    timeout check 2000ms
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless { method GET HEAD OPTIONS }
    http-error status 502 content-type "text/html; charset=utf-8" string "{502}"
    http-error status 503 content-type "text/html; charset=utf-8" string "{503}"
    http-error status 504 content-type "text/html; charset=utf-8" string "{504}"
    option httpchk
    http-check send meth GET uri "/health" ver HTTP/1.1 hdr Host invoicing
    http-check expect status 200-399
    http-check expect ! string "ecluse waits for the end"
    default-server check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 1
    server r-1 10.213.1.0:8080 weight 100 check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 1
"""


def page(status: int, sentence: str) -> str:
    return (
        "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{status}</title><body style='font:1.1rem/1.5 system-ui;max-width:40rem;margin:20vh auto;"
        f"padding:0 1rem'><p>{sentence}</p>\\n"
    )


def workload(*, path: str = "/health", port: int | None = 8080, host: str | None = None) -> Workload:
    release = ReleaseId(ServiceName("invoicing"), "1", "sha256:x", "c")
    spec = Process("web", (), port, Probe(path=path))
    return Workload(
        ServiceName("invoicing"), "web", Box(release, (), {}, (), (), (), None, None), spec, "invoicing", host
    )


def test_a_backend_checks_its_servers_and_says_what_is_wrong() -> None:
    text = configuration.gateway(ROUTES, edge_subnet="10.213.4.0/24", owner=(0, 0))
    pages = {
        "{502}": page(502, "invoicing/web closed the connection before it answered."),
        "{503}": page(503, "invoicing/web has no healthy replica."),
        "{504}": page(504, "invoicing/web did not answer in time."),
    }
    expected = EXPECTED_BACKEND
    for mark, html in pages.items():
        expected = expected.replace(mark, html)
    assert text.endswith("\n" + expected)


def test_the_public_side_believes_only_the_edge() -> None:
    text = configuration.gateway(Routes(), edge_subnet="10.213.4.0/24", owner=(1000, 998))
    public = text.partition("frontend public")[2]
    assert "tcp-request connection reject if !{ src 10.213.4.0/24 }" in public
    assert public.index("reject") < public.index("expect-proxy layer4")
    assert "stats socket /run/ecluse/admin.sock mode 600 uid 1000 gid 998 level admin" in text


def test_forwarded_headers_are_set_on_both_sides() -> None:
    text = configuration.gateway(Routes(), edge_subnet="10.213.4.0/24", owner=(0, 0))
    assert text.count("http-request set-header X-Forwarded-For %[src]") == 2
    assert (
        text.count(
            "http-request del-header ^(forwarded|x[-_]forwarded[-_].*|x[-_]real[-_]ip|x_request[-_]id|x-request_id)$ -m reg"
        )
        == 2
    )


def test_the_public_side_answers_over_http_and_tls() -> None:
    entrance = Entrance(8000, 8443, Tls(redirect=True, hsts=31536000))
    text = configuration.gateway(Routes(entrance=entrance), edge_subnet="10.213.4.0/24", owner=(0, 0))
    host = "%[req.hdr(host),field(1,:),regsub([^A-Za-z0-9._-],,g)]"
    known = "if !{ req.hdr(host),field(1,:),lower,map(/run/ecluse/hosts.map) -m found }"
    expected = EXPECTED_PUBLIC.replace("{unless known}", known)
    expected = expected.replace("{404}", page(404, f"No service of this environment answers to {host}."))
    for scheme, port in (("http", "8000"), ("https", "8443")):
        lines = EXPECTED_FORWARDED.replace("{scheme}", scheme).replace("{port}", port)
        expected = expected.replace(f"{{forwarded {scheme} {port}}}\n", lines)
    assert text[text.index("frontend public") :] == expected


def test_without_https_there_is_no_trace_of_it() -> None:
    for entrance in (Entrance(80, 0), Entrance(80, 443, Tls("off")), None):
        text = configuration.gateway(Routes(entrance=entrance), edge_subnet="10.213.4.0/24", owner=(0, 0))
        assert "tls" not in text
        assert "redirect" not in text
    assert "443" not in edge_configuration.configuration(owner=(0, 0))


def test_the_edge_hands_tls_through_by_the_name_that_is_asked_for() -> None:
    plain, text = (
        edge_configuration.configuration(owner=(0, 0)),
        edge_configuration.configuration(owner=(0, 0), secure=True),
    )
    assert text == plain + EXPECTED_EDGE_TLS


def test_a_certificate_is_installed_by_two_commands() -> None:
    assert runtime.set_certificate("KEY\nCERTIFICATE\n") == [
        "set ssl cert /run/ecluse/crt/environment.pem <<\nKEY\nCERTIFICATE\n",
        "commit ssl cert /run/ecluse/crt/environment.pem",
    ]
    assert runtime.read_fingerprint("Status: Used\nSHA1 FingerPrint: AB12\n") == "AB12"
    assert runtime.read_fingerprint("Can't display the certificate: Not found\n") is None


def test_the_configuration_of_the_edge_does_not_depend_on_environments() -> None:
    text = edge_configuration.configuration(owner=(0, 0))
    assert "map_str_ip(/run/ecluse/hosts.map)" in text
    assert "server gateway 0.0.0.0:8080 send-proxy-v2" in text


def test_the_shape_ignores_what_commands_can_change() -> None:
    busier = ROUTES.with_server("invoicing.web", Server("r-2", "10.213.1.1", 8080))
    renamed = Routes(ROUTES.backends, {"bills": "invoicing.web"}, {})
    assert configuration.shape(ROUTES) == configuration.shape(busier) == configuration.shape(renamed)
    assert configuration.shape(ROUTES) != configuration.shape(Routes())


def test_a_server_comes_and_goes_by_these_commands() -> None:
    assert runtime.add_server(WEB, Server("r-2", "10.213.1.1", 9000)) == [
        "add server invoicing.web/r-2 10.213.1.1:9000 weight 100 "
        "check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 1",
        "enable health invoicing.web/r-2",
        "enable server invoicing.web/r-2",
    ]
    assert [runtime.weigh("b", "s", 0), runtime.park("b", "s"), runtime.delete_server("b", "s")] == [
        "set server b/s weight 0",
        "set server b/s state maint",
        "del server b/s",
    ]


def test_a_map_follows_by_the_fewest_commands() -> None:
    before, after = {"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"}
    assert runtime.map_commands("hosts.map", before, after) == [
        "del map /run/ecluse/hosts.map a",
        "add map /run/ecluse/hosts.map d 5",
        "set map /run/ecluse/hosts.map c 4",
    ]
    assert runtime.read_map("0x55 a 1\n0x56 b 2\n\n") == {"a": "1", "b": "2"}


def test_the_statistics_tell_who_is_up_and_why_not() -> None:
    answer = (
        "# pxname,svname,scur,status,check_status,check_code,last_chk,\n"
        "public,FRONTEND,3,OPEN,,,,\n"
        "invoicing.web,r-1,2,UP,L7OK,200,,\n"
        "invoicing.web,r-2,0,DOWN,L7STS,503,,\n"
        "invoicing.web,r-3,0,DOWN,* L4CON,,,\n"
        "invoicing.web,BACKEND,2,UP,,,,\n\n"
    )
    standings = runtime.read_standings(answer)
    assert [(item.server, item.status, item.sessions, item.detail) for item in standings] == [
        ("r-1", "UP", 2, "L7OK"),
        ("r-2", "DOWN", 0, "it answers with status 503"),
        ("r-3", "DOWN", 0, "nothing listens on its port"),
    ]


def test_the_master_tells_which_workers_are_old() -> None:
    answer = (
        "#<PID>          <type>          <reloads>       <uptime>        <version>\n"
        "1               master          1 [failed: 0]   0d00h00m10s     2.6.12\n"
        "# workers\n"
        "31              worker          0               0d00h00m01s     2.6.12\n"
        "# old workers\n"
        "8               worker          1               0d00h00m10s     2.6.12\n"
        "# programs\n\n"
    )
    assert runtime.current_worker(answer) == "31"
    assert runtime.count_old_workers(answer) == 1


def test_a_strange_path_cannot_leave_its_argument() -> None:
    strange = Backend("a", "web", 80, '/x?y="$HOME"\\#')
    text = configuration.gateway(Routes({"a.web": strange}), edge_subnet="10.213.4.0/24", owner=(0, 0))
    assert 'uri "/x?y=\\"\\$HOME\\"\\\\#" ver' in text


def test_routes_survive_being_written_down() -> None:
    secure = replace(ROUTES, entrance=Entrance(8000, 8443, Tls(redirect=True)))
    assert Routes.load(ROUTES.dump()) == ROUTES
    assert Routes.load(secure.dump()) == secure


def test_servers_stay_in_traffic_when_the_routes_are_made_again() -> None:
    routes = routed([workload(host="Invoicing.Test.Localhost")], ROUTES)
    assert routes.backends["invoicing.web"].servers == WEB.servers
    assert routes.hosts == {"invoicing.test.localhost": "invoicing.web"}
    assert routed([workload(port=None)], ROUTES) == Routes()


def test_servers_keep_their_check_until_new_replicas_are_admitted() -> None:
    changed = workload(path="/ready")
    assert routed([changed], ROUTES).backends["invoicing.web"].check == "/health"
    assert asks_otherwise(ROUTES, changed)
    assert joined(ROUTES, changed).backends["invoicing.web"].check == "/ready"
    assert joined(ROUTES, changed).backends["invoicing.web"].servers == WEB.servers
    assert not asks_otherwise(Routes(), changed)


def test_what_a_server_answered_is_counted() -> None:
    answer = (
        "# pxname,svname,scur,status,uweight,check_status,check_code,econ,eresp,hrsp_1xx,hrsp_2xx,hrsp_3xx,"
        "hrsp_4xx,hrsp_5xx,hrsp_other,rtime,\n"
        "a.web,r-1,2,DRAIN,0,L7OK,200,1,2,0,90,3,2,4,0,120,\n"
    )
    (standing,) = runtime.read_standings(answer)
    assert (standing.weight, standing.tally) == (0, Tally(102, 7, 0.12))


def test_websockets_are_told_from_requests_that_are_under_way() -> None:
    line = (
        "0x55: proto=tcpv4 src=10.0.0.1:4 fe=public be={} srv={} ts=00 epoch=0 age=1s calls=4 "
        "rq[f=8848000h,i=0,an={},rx=59m,wx=,ax=] rp[f=88048000h,i=0,an={},rx=59m,wx=,ax=] exp=59m58s rc=0\n"
    )
    answer = (
        line.format("a.web", "r-1", "00h", "00h")
        + line.format("a.web", "r-1", "8000h", "4000000h")
        + line.format("a.web", "r-2", "8000h", "1400000h")
        + line.format("aXweb", "r-2", "00h", "00h")
        + "0x56: proto=unix_stream src=unix:1 fe=GLOBAL be=<NONE> srv=<none> rq[an=00h] rp[an=00h]\n"
    )
    assert runtime.read_tunnels(answer, "a.web") == {"r-1": 1}
    assert runtime.read_sessions(answer, "a.web") == {"r-1": 2, "r-2": 1}


def test_a_server_at_rest_gets_nothing_new_after_a_reload_either() -> None:
    routes = ROUTES.at_rest("invoicing.web", ["r-1"])
    text = configuration.gateway(routes, edge_subnet="10.213.4.0/24", owner=(0, 0))
    assert "server r-1 10.213.1.0:8080 weight 0 check" in text
    assert configuration.shape(routes) == configuration.shape(ROUTES)
    assert ROUTES.at_rest("nothing.web", ["r-1"]) == ROUTES


def test_routes_of_before_there_were_weights_are_read() -> None:
    assert Routes.load(ROUTES.dump().replace('"weight": 100', '"port": 8080')) == ROUTES


def test_challenges_are_answered_before_anything_else_and_only_with_acme() -> None:
    tls = Tls("acme", directory="https://acme.example.fr/directory", redirect=True)
    text = configuration.gateway(
        Routes(entrance=Entrance(80, 443, tls)), edge_subnet="10.213.4.0/24", owner=(0, 0)
    )
    public = text[text.index("frontend public") : text.index("frontend tls")]
    challenge = "map(/run/ecluse/challenges.map)"
    assert public.index("/.well-known/acme-challenge/") < public.index("redirect code 308")
    assert text.count(challenge) == public.count(challenge) == 2
    local = configuration.gateway(
        Routes(entrance=Entrance(80, 443)), edge_subnet="10.213.4.0/24", owner=(0, 0)
    )
    assert "acme-challenge" not in local
