from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecluse.engines.docker import attempts, endings, health, refusals
from ecluse.engines.docker.attempts import Attempt
from ecluse.engines.docker.gateway.runtime import Standing
from ecluse.engines.docker.labels import Container
from ecluse.engines.docker.listeners import Listener, parse
from ecluse.engines.docker.rollout import sort
from ecluse.model.application import ReleaseId
from ecluse.model.cause import Cause
from ecluse.model.names import ServiceName
from ecluse.model.service import Process
from ecluse.model.workload import Box, Workload

ITEM = Container("f00", "shop-web-1", "running", {"ecluse.service": "shop", "ecluse.process": "web"})


def inspected(
    status: str = "running", *, code: int = 0, policy: str = "unless-stopped", **state: object
) -> dict[str, Any]:
    return {
        "State": {"Status": status, "ExitCode": code, "StartedAt": "2026-03-01T10:00:00.123456789Z", **state},
        "HostConfig": {"RestartPolicy": {"Name": policy}, "Memory": 256 << 20},
        "RestartCount": 2,
    }


@pytest.mark.parametrize(
    ("facts", "status", "state", "detail"),
    [
        (inspected(), "UP", "ready", None),
        (inspected(), None, "ready", None),
        (inspected(), "DRAIN", "draining", None),
        (inspected(), "DOWN", "unhealthy", "its probe fails: it answers with status 500"),
        (inspected(policy="no"), None, "starting", "not ready yet"),
        (inspected("created"), None, "starting", "never started"),
        (inspected("restarting", code=1), None, "restarting", "exited with code 1"),
        (inspected("exited", code=137, OOMKilled=True), None, "exited", "killed for want of memory (exit code 137)"),
        (inspected("exited", code=143), None, "exited", "ended by SIGTERM (exit code 143)"),
        (inspected("paused"), None, "unhealthy", "paused"),
    ],
)  # fmt: skip
def test_a_replica_is_what_docker_and_the_gateway_say(
    facts: dict[str, Any], status: str | None, state: str, detail: str | None
) -> None:
    standing = Standing("shop.web", "shop-web-1", status, 0, "it answers with status 500") if status else None
    found = health.replica(ITEM, facts, standing)
    assert (found.state, found.detail, found.restarts) == (state, detail, 2)
    assert found.started == datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)


def test_want_of_memory_names_the_limit() -> None:
    cause = endings.ended("shop/web", inspected("exited", code=137, OOMKilled=True), ["last words"])
    assert cause == Cause(
        "out-of-memory",
        "shop/web",
        "shop/web was killed: it needed more memory than its limit of 256Mi",
        ("killed for want of memory (exit code 137)",),
        ("last words",),
        hint="raise `memory` of this process, or find what takes it",
    )


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("No such image: sha256:1", "image-missing"),
        ("write /x: no space left on device", "no-space"),
        ('exec: "nope": executable file not found in $PATH: unknown', "exited"),
        ("Address already in use", "port-taken"),
        ("something else", "engine"),
    ],
)
def test_a_refusal_of_docker_has_a_kind(reason: str, kind: str) -> None:
    cause = refusals.refused("shop/web", "sha256:1", reason)
    assert (cause.kind, cause.evidence) == (kind, (f"Docker: {reason}",))


def test_another_port_is_named_with_what_to_do() -> None:
    cause = attempts.elsewhere("shop/web", 8080, [Listener(3000, False), Listener(3000, False)], ())
    assert cause.sentence == "shop/web should listen on port 8080, but listens on 3000"
    assert cause.hint == "declare `port: 3000`, or make the program listen on 8080"


def test_a_probe_that_failed_tells_what_it_heard() -> None:
    attempt = Attempt("answered", "GET /health on port 80", 503, "  no\n database ")
    cause = attempts.not_ready("shop/web", attempt, seconds=60.0, logs=())
    assert cause.sentence == (
        "shop/web runs but is not well: GET /health on port 80 gave status 503 until the deadline"
    )
    assert cause.evidence == ("GET /health on port 80: status 503", "it said: no database", "deadline: 60 s")


def test_listeners_are_read_from_the_kernels_table_without_dockers_name_server() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 101 1\n"
        "   1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 102 1\n"
        "   2: 0B00007F:9C40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 103 1\n"
        "   3: 0A00020F:0016 0A000202:C0DE 01 00000000:00000000 00:00000000 00000000 0 0 104 1\n"
    )
    assert parse(table) == [Listener(8080, False, "101"), Listener(80, True, "102")]


def test_a_rollout_keeps_whole_replicas_of_the_wanted_box_and_no_more_than_are_wanted() -> None:
    box = Box(ReleaseId(ServiceName("shop"), "1", "sha256:x", "c"), (), {}, (), (), (), None, None)
    workload = Workload(ServiceName("shop"), "web", box, Process("web", replicas=2), None, None)

    def replica(number: int, digest: str, **facts: Any) -> tuple[Container, dict[str, Any]]:
        marks = {"ecluse.number": str(number), "ecluse.box": digest, "ecluse.uses": ""}
        return Container(str(number), f"r{number}", "running", marks), inspected(**facts)

    present = sort(
        [
            replica(1, "other"),
            replica(2, box.digest, status="exited"),
            replica(3, box.digest, policy="no"),
            replica(6, box.digest),
            replica(5, box.digest),
            replica(4, box.digest),
        ],
        workload,
    )
    assert [[item.number for item in part] for part in (present.kept, present.old, present.half_made)] == [
        [4, 5],
        [1, 2, 6],
        [3],
    ]
