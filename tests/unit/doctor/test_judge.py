from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecluse.doctor import judge
from ecluse.doctor.finding import Finding
from ecluse.doctor.probe import Answer, EngineFacts, Port
from ecluse.model.source import BuildClient

ABLE = BuildClient("/usr/bin/docker", "20.10.24")
UNABLE = BuildClient("/opt/docker", "28.2.2", "has no buildx component")
ENGINE = EngineFacts("24.0.7", 8 << 30, "/var/lib/docker", 0.1, limits_memory=True)
OK = Answer(0, "", "")
GIB = 1 << 30


def test_an_older_python_says_what_is_needed() -> None:
    assert judge.python((3, 11, 2)) == Finding("python", True, "3.11.2")
    assert judge.python((3, 9, 2)).ok is False


def test_git_without_an_identity_is_a_warning() -> None:
    finding = judge.git(Answer(0, "git version 2.39.5", ""), OK, OK)
    assert (finding.ok, finding.message) == (None, "git does not know who you are, so you cannot commit")


def test_git_that_is_missing_is_to_be_installed() -> None:
    assert judge.git(Answer(127, "", ""), OK, OK).mend == "sudo apt-get install git"


def test_a_product_outside_git_is_a_warning(tmp_path: Path) -> None:
    finding = judge.repository(tmp_path, Answer(128, "", "fatal: not a git repository"))
    assert (finding.ok, finding.mend) == (None, f"git -C {tmp_path} init")


def test_docker_is_to_be_installed_or_completed() -> None:
    assert judge.client([]).mend == "sudo apt-get install docker.io"
    assert judge.client([UNABLE]) == Finding(
        "docker command", False, "cannot build: /opt/docker has no buildx component",
        "sudo apt-get install docker-buildx-plugin",
    )  # fmt: skip
    assert judge.client([UNABLE, ABLE]).ok


def test_a_docker_that_shadows_the_able_one_is_a_warning() -> None:
    finding = judge.shadowing([UNABLE, ABLE])
    assert finding is not None
    assert finding.message == (
        "`docker` is /opt/docker, which has no buildx component; ecluse uses /usr/bin/docker"
    )
    assert judge.shadowing([ABLE, UNABLE]) is None


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        (
            "permission denied while trying to connect to the Docker daemon socket",
            "sudo usermod -aG docker ada",
        ),
        ("Cannot connect to the Docker daemon. Is the docker daemon running?", "sudo systemctl start docker"),
        ("error during connect: no such host", "docker info"),
    ],
)
def test_an_engine_out_of_reach_is_mended_by_its_cause(reason: str, mend: str) -> None:
    finding = judge.engine(reason, "ada")
    assert finding.ok is False
    assert (finding.mend or "").startswith(mend)


def test_an_old_engine_is_refused() -> None:
    old = EngineFacts("19.03.1", 0, "", None, limits_memory=True)
    assert judge.engine(old, "ada").message == "19.03.1 is older than 20.10"
    assert judge.engine(ENGINE, "ada") == Finding("docker engine", True, "24.0.7")


def test_base_images_are_here_or_can_be_had() -> None:
    names = ["debian:11-slim", "debian:12-slim"]
    assert judge.bases(names, names, ()) == Finding("base images", True, "2 of 2 are here")
    assert judge.bases(names, ["debian:12-slim"], ["debian:11-slim"]) == Finding(
        "base images", True, "1 of 2 are here; pulled when needed: debian:11-slim"
    )
    assert judge.bases(names, ["debian:12-slim"], ()) == Finding(
        "base images", False, "neither here nor to be had: debian:11-slim", "docker pull debian:11-slim"
    )


@pytest.mark.parametrize(("free", "ok"), [(50 * GIB, True), (5 * GIB, None), (GIB, False)])
def test_disk_is_judged_in_three_steps(free: int, ok: object) -> None:
    assert judge.disk(free, "/var/lib/docker").ok is ok


@pytest.mark.parametrize(("free", "ok"), [(2 * GIB, True), (GIB, None), (GIB // 4, False), (None, None)])
def test_memory_is_judged_in_three_steps(free: int | None, ok: object) -> None:
    assert judge.memory(free).ok is ok


def test_a_state_that_cannot_be_written_is_made_for_its_user() -> None:
    finding = judge.state(Path("/var/lib/ecluse"), "ada", is_writable=False)
    assert finding.mend == "sudo install -d -m 0700 -o ada /var/lib/ecluse"


@pytest.mark.parametrize(
    ("port", "ok", "message"),
    [
        (Port(is_free=True), True, "127.0.0.1:80 is free"),
        (Port(is_free=False, holders=("ecluse-edge",), is_ours=True), True, "127.0.0.1:80 is ours"),
        (
            Port(is_free=False, holders=("traefik",)), False,
            "127.0.0.1:80 is held by the container traefik; ECLUSE_EDGE_HTTP_PORT can name another",
        ),
        (
            Port(is_free=False), False,
            "127.0.0.1:80 is held by another program, or is no address of this machine; "
            "ECLUSE_EDGE_HTTP_PORT can name another port",
        ),
    ],
)  # fmt: skip
def test_the_edge_needs_its_port(port: Port, ok: object, message: str) -> None:
    finding = judge.edge("127.0.0.1", 80, port)
    assert (finding.ok, finding.message) == (ok, message)


def test_a_clock_is_right_and_like_the_engines() -> None:
    now = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    assert judge.clock(now, 0.2) == Finding("clock", True, "2026-07-01 12:30 UTC")
    assert judge.clock(now, -90).message == "the engine's clock is 90 s behind"
    assert judge.clock(datetime(1970, 1, 1, tzinfo=UTC), None).ok is False


def test_gateways_of_an_older_image_are_named() -> None:
    today, running = "ecluse/haproxy:2.6-b", {"shop-test-gateway": "ecluse/haproxy:2.6-b"}
    assert judge.proxies({}, today) is None
    assert judge.proxies(running, today) == Finding("gateways", True, "1 run ecluse/haproxy:2.6-b")
    found = judge.proxies(running | {"ecluse-edge": "26ccde07cea7"}, today)
    assert found is not None
    assert found.ok is None
    assert found.message == (
        "run an older image than ecluse/haproxy:2.6-b: ecluse-edge; the next deployment of theirs replaces them"
    )
