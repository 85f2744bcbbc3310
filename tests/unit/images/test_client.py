from pathlib import Path

import pytest

from ecluse.errors import EngineError, UsageError
from ecluse.images.client import Builder, client_version, find_builder, find_docker


def _docker(folder: Path, version: str, *, buildx: bool) -> Path:
    folder.mkdir()
    script = folder / "docker"
    answer = "exit 0" if buildx else "exit 1"
    script.write_text(
        "#!/bin/sh\n"
        f'case "$1" in --version) echo "Docker version {version}, build 0";; '
        f"buildx) echo github.com/docker/buildx; {answer};; esac\n"
    )
    script.chmod(0o755)
    return script


def test_the_first_client_whose_buildkit_works_is_chosen(tmp_path: Path) -> None:
    shadowing = _docker(tmp_path / "a", "28.2.2", buildx=False)
    able = _docker(tmp_path / "b", "20.10.24+dfsg1", buildx=False)
    environ = {"PATH": f"{shadowing.parent}:{able.parent}:/bin"}
    assert find_builder(environ) == Builder(str(able))
    assert find_docker(environ) == str(shadowing)


def test_a_newer_client_with_buildx_can_build(tmp_path: Path) -> None:
    able = _docker(tmp_path / "a", "28.2.2", buildx=True)
    environ = {"PATH": f"{able.parent}:/bin", "ECLUSE_BUILD_NETWORK": "host"}
    assert find_builder(environ) == Builder(str(able), "host")


def test_a_chosen_client_wins_and_must_be_able_to_build(tmp_path: Path) -> None:
    chosen = _docker(tmp_path / "a", "28.2.2", buildx=False)
    _docker(tmp_path / "b", "20.10.24", buildx=False)
    with pytest.raises(EngineError) as caught:
        find_builder({"PATH": str(tmp_path / "b"), "ECLUSE_DOCKER": str(chosen)})
    assert caught.value.message == (
        "no docker command here can build:\n"
        f"  {chosen} (28.2.2): has no buildx component, so its BuildKit does not work"
    )
    assert "docker-buildx-plugin" in (caught.value.hint or "")


def test_without_docker_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no docker command on PATH"):
        find_builder({"PATH": str(tmp_path)})


def test_an_unknown_network_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        find_builder({"PATH": str(tmp_path), "ECLUSE_BUILD_NETWORK": "bridge0"})


def test_only_docker_itself_counts_as_docker() -> None:
    assert client_version("Docker version 20.10.24+dfsg1, build 297e128") == (20, 10, 24)
    assert client_version("podman version 4.3.1") is None
