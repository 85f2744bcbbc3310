"""The docker commands of a build, as argument lists. Pure: nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecluse.images import labels
from ecluse.images.client import Builder
from ecluse.images.decide import TEST_PREFIX
from ecluse.images.inputs import context_of, dockerfile_of
from ecluse.model.source import Source

ENVIRONMENT = {
    "DOCKER_BUILDKIT": "1",
    # The engine's own builder: its images are where they will run, and can be built upon.
    "BUILDX_BUILDER": "default",
    # An attestation turns the image into an index, whose id is no config digest.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
}


@dataclass(frozen=True, slots=True)
class TestLimits:
    """What a test command may take: `memory` as docker writes it, seconds, processes."""

    __test__ = False

    memory: str = "2g"
    timeout: float = 900.0
    pids: int = 1024


def release_tag(source: Source, version: str) -> str:
    return f"{source.product}/{source.service}:{version}"


def test_tag(source: Source, inputs: str) -> str:
    return test_image(source.product, source.service, inputs)


def test_image(product: str, service: str, inputs: str) -> str:
    """The image in which the tests of a release ran; `inputs` are those of the release."""
    return f"{product}/{service}:{TEST_PREFIX}{inputs[:12]}"


def build_command(
    builder: Builder, source: Source, *, target: str | None, tag: str, marks: Mapping[str, str]
) -> list[str]:
    """Builds stage `target` of the source's Dockerfile."""
    stage = ["--target", target] if target else []
    dockerfile = str(dockerfile_of(source))
    return [*_build(builder, tag, marks), *stage, "--file", dockerfile, str(context_of(source))]


def relabel_command(builder: Builder, *, tag: str, marks: Mapping[str, str]) -> list[str]:
    """Builds from the Dockerfile on standard input, without a context."""
    return [*_build(builder, tag, marks), "-"]


def test_command(
    builder: Builder, *, image: str, container: str, command: Sequence[str], limits: TestLimits
) -> list[str]:
    """Runs one test command, exactly these words, in a container without network that leaves nothing."""
    return [
        builder.command, "run", "--rm", "--init", "--pull", "never", "--name", container,
        "--network", "none", "--memory", limits.memory, "--pids-limit", str(limits.pids),
        "--entrypoint", command[0], image, *command[1:],
    ]  # fmt: skip


def remove_command(builder: Builder, container: str) -> list[str]:
    return [builder.command, "rm", "--force", container]


def test_marks(source: Source) -> dict[str, str]:
    return {labels.TESTED: f"{source.product}/{source.service}"}


def _build(builder: Builder, tag: str, marks: Mapping[str, str]) -> list[str]:
    network = ["--network", builder.network] if builder.network != "default" else []
    pairs = [part for name, value in marks.items() for part in ("--label", f"{name}={value}")]
    return [builder.command, "build", "--progress", "plain", *network, "--tag", tag, *pairs]
