import socket
from pathlib import Path

import pytest

from ecluse.doctor import probe
from ecluse.doctor.examine import examine
from ecluse.doctor.finding import Subject
from ecluse.model.source import BuildClient


async def test_a_machine_without_docker_gets_every_other_finding(tmp_path: Path) -> None:
    findings = await examine(Subject(tmp_path, tmp_path / "state", "127.0.0.1", _free_port(), ()))
    by_name = {finding.name: finding for finding in findings}
    assert list(by_name) == [
        "python", "git", "repository", "docker command", "disk", "memory", "edge", "clock", "state"
    ]  # fmt: skip
    assert by_name["docker command"].ok is False
    assert by_name["repository"].ok is None
    assert by_name["state"].ok
    assert by_name["edge"].ok


async def test_an_engine_that_does_not_answer_is_told_with_its_reason(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n"
        """echo '{"ServerErrors":["Cannot connect to the Docker daemon. Is the docker daemon running?"]}'\n"""
    )
    docker.chmod(0o755)
    clients = [BuildClient(str(docker), "20.10.24")]
    findings = await examine(Subject(None, tmp_path, "127.0.0.1", _free_port(), clients, ["debian:12-slim"]))
    engine = next(finding for finding in findings if finding.name == "docker engine")
    assert (engine.ok, engine.mend) == (False, "sudo systemctl start docker")
    assert "base images" not in {finding.name for finding in findings}


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert probe.port(None, "127.0.0.1", number) == probe.Port(is_free=False)


def test_a_command_that_never_answers_has_a_limit(tmp_path: Path) -> None:
    assert probe.ask("sleep", "60", timeout=0.1) == probe.Answer(124, "", "no answer within 0.1 s")
    assert probe.ask(str(tmp_path / "nowhere")).code == 127


def test_a_folder_that_is_still_to_be_made_is_judged_by_its_parent(tmp_path: Path) -> None:
    assert probe.is_writable(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    assert not probe.is_writable(tmp_path / "file" / "b")


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="/proc/meminfo")
def test_free_memory_is_told_in_bytes() -> None:
    assert (probe.free_memory() or 0) > 1 << 20


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
