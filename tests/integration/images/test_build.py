"""Real builds on the real engine, from debian:12-slim and without packages."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from ecluse.errors import BuildFailed, Refused
from ecluse.images.build import build
from ecluse.images.client import Builder
from ecluse.images.commands import TestLimits
from ecluse.images.inputs import context_entries, context_rules
from ecluse.images.releases import DockerReleases
from ecluse.model.names import ProductName, ServiceName
from ecluse.model.release import Release
from ecluse.model.service import ImageBuild, ImageTests
from ecluse.model.source import BuildProgress, Source

pytestmark = pytest.mark.docker

DOCKERFILE = """FROM debian:12-slim AS base
WORKDIR /app
COPY app.txt ./
FROM base AS test
COPY test.sh ./
FROM base AS production
ENV GREETING=hi
USER 33:33
CMD ["sleep", "infinity"]
"""
MakeSource = Callable[..., Source]


@pytest.fixture
def make_source(product: ProductName, tmp_path: Path) -> MakeSource:
    def make(name: str = "hello", test: str = "echo testing", **changes: object) -> Source:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / "app.txt").write_text(f"{product} {name}\n")
        (folder / "test.sh").write_text(f"#!/bin/sh\n{test}\n")
        (folder / "test.sh").chmod(0o755)
        values: dict[str, object] = {
            "product": product,
            "service": ServiceName(name),
            "folder": str(folder),
            "image": ImageBuild(target="production", tests=ImageTests("test", (("./test.sh",),))),
            "service_yaml": f"service: {name}\n",
            "templates": {},
            "commit": "a1b2c3d",
            "dirty": False,
        }
        return Source(**{**values, **changes})  # type: ignore[arg-type]

    return make


def _docker(builder: Builder, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([builder.command, *arguments], capture_output=True, text=True, timeout=120)


async def _build(builder: Builder, *sources: Source, **options: object) -> list[BuildProgress]:
    return [progress async for progress in build(sources, builder=builder, **options)]  # type: ignore[arg-type]


def _releases(builder: Builder, source: Source) -> list[Release]:
    return list(DockerReleases(source.product, builder.command).list(source.service))


def _stages(progress: list[BuildProgress]) -> list[str]:
    return list(dict.fromkeys(one.stage for one in progress))


async def test_a_build_tests_then_makes_a_release(builder: Builder, make_source: MakeSource) -> None:
    source = make_source(templates={"a.j2": "{{ X }}"})
    progress = await _build(builder, source)
    assert _stages(progress) == ["checking", "test image", "tests", "image", "done"]
    assert [one.line for one in progress if one.stage == "tests"] == [None, "$ ./test.sh", "testing"]
    (release,) = _releases(builder, source)
    assert (progress[-1].version, progress[-1].image_id) == ("a1b2c3d", release.image_id)
    assert (release.version, release.commit, release.dirty) == ("a1b2c3d", "a1b2c3d", False)
    assert (release.service_yaml, release.templates) == ("service: hello\n", {"a.j2": "{{ X }}"})
    assert release.workdir == "/app"


async def test_the_image_of_the_tests_is_kept_and_is_no_release(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source()
    await _build(builder, source)
    (release,) = _releases(builder, source)
    kept = f"{source.product}/hello:test-{release.inputs[:12]}"
    assert _docker(builder, "run", "--rm", kept, "cat", "test.sh").stdout.endswith("echo testing\n")


async def test_equal_inputs_are_not_built_again(builder: Builder, make_source: MakeSource) -> None:
    source = make_source()
    await _build(builder, source)
    progress = await _build(builder, source)
    assert [(one.stage, one.version) for one in progress] == [("checking", None), ("unchanged", "a1b2c3d")]


async def test_a_version_given_later_holds_the_very_same_content(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source()
    await _build(builder, source)
    progress = await _build(builder, source, version="1.4")
    assert _stages(progress) == ["checking", "image", "done"]
    newest, first = _releases(builder, source)
    assert (newest.version, first.version) == ("1.4", "a1b2c3d")
    assert newest.content == first.content
    assert newest.image_id != first.image_id


async def test_a_version_never_changes(builder: Builder, make_source: MakeSource) -> None:
    source = make_source()
    await _build(builder, source, version="1.4")
    (Path(source.folder) / "app.txt").write_text("other")
    with pytest.raises(Refused, match=r"version 1\.4 exists and was built from other inputs"):
        await _build(builder, source, version="1.4")


async def test_a_failing_test_leaves_no_release_and_says_why(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source(test="echo before; echo the sum is wrong; exit 3")
    with pytest.raises(BuildFailed) as caught:
        await _build(builder, source)
    assert caught.value.message == (
        "hello: test failed: ./test.sh: exit code 3\n  | before\n  | the sum is wrong"
    )
    assert _releases(builder, source) == []


async def test_a_test_has_no_network(builder: Builder, make_source: MakeSource) -> None:
    source = make_source(test='test "$(ls /sys/class/net)" = lo')
    await _build(builder, source)


async def test_a_test_that_never_ends_is_ended_with_its_container(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source(test="echo waiting; sleep 600")
    with pytest.raises(BuildFailed, match=r"\./test\.sh: not finished after 2 s\n  \| waiting"):
        await _build(builder, source, limits=TestLimits(timeout=2))
    assert _test_containers(builder, source) == []


async def test_a_test_that_takes_too_much_memory_is_told_so(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source(test="exec tail /dev/zero")
    with pytest.raises(BuildFailed, match="killed, most likely for using more than 32m of memory"):
        await _build(builder, source, limits=TestLimits(memory="32m"))


async def test_a_failing_step_names_its_line_and_its_output(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source()
    dockerfile = DOCKERFILE + "RUN echo compiling && \\\n    echo missing symbol && \\\n    false\n"
    (Path(source.folder) / "Dockerfile").write_text(dockerfile)
    with pytest.raises(BuildFailed) as caught:
        await _build(builder, source)
    head, where, *rest = caught.value.message.splitlines()
    assert head == "hello: the image did not build"
    assert where.startswith("  Dockerfile:10: RUN echo compiling &&")
    assert rest == ["    | compiling", "    | missing symbol", "  exit code: 1"]


async def test_every_service_runs_to_its_end_and_all_failures_are_told(
    builder: Builder, make_source: MakeSource
) -> None:
    sources = [make_source("one", "exit 1"), make_source("two"), make_source("three", "exit 2")]
    progress: list[BuildProgress] = []
    with pytest.raises(BuildFailed) as caught:
        await _collect(build(sources, builder=builder), progress)
    assert {one.service: one.stage for one in progress} == {"one": "failed", "two": "done", "three": "failed"}
    assert "one: test failed" in caught.value.message
    assert "three: test failed" in caught.value.message
    assert [release.version for release in _releases(builder, sources[1])] == ["a1b2c3d"]


async def test_cancelling_ends_what_was_started(builder: Builder, make_source: MakeSource) -> None:
    source = make_source(test="echo waiting; sleep 600")
    progress = build([source], builder=builder)
    async for one in progress:
        if one.line == "waiting":
            break
    assert len(_test_containers(builder, source)) == 1
    began = time.monotonic()
    await progress.aclose()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 15
    assert _test_containers(builder, source) == []


async def test_cancelling_the_task_ends_a_build_step(builder: Builder, make_source: MakeSource) -> None:
    source = make_source()
    marker = f"sleep 6{uuid4().int % 10**8}"
    (Path(source.folder) / "Dockerfile").write_text(f"FROM debian:12-slim AS test\nRUN echo go && {marker}\n")
    seen = asyncio.Event()
    task = asyncio.create_task(_until(build([source], builder=builder), "go", seen))
    await asyncio.wait_for(seen.wait(), 60)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await _gone(marker)


async def test_64_kb_of_templates_travel_in_the_labels(builder: Builder, make_source: MakeSource) -> None:
    templates = {"big.j2": os.urandom(64 * 1024).hex(), "accents.j2": "é" * 100}
    source = make_source(templates=templates)
    await _build(builder, source)
    assert _releases(builder, source)[0].templates == templates


async def test_labels_land_in_a_target_that_is_not_the_last_stage(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source(image=ImageBuild(target="base"))
    await _build(builder, source)
    assert len(_releases(builder, source)) == 1


async def test_the_context_that_is_hashed_is_the_context_that_docker_sends(
    builder: Builder, make_source: MakeSource
) -> None:
    source = make_source()
    folder = Path(source.folder)
    (folder / "Dockerfile").write_text("FROM debian:12-slim\nCOPY . /context\n")
    (folder / ".dockerignore").write_text(
        "# secrets\n**/*.log\nvendor\n!vendor/keep/*.php\ndocs/**\n!docs/index.md\n/tmp?\n[x-z]*\n"
        "*.md\n!a.md\n"
    )
    for name in (
        "a.log", "a.md", "b.md", "deep/a.log", "deep/a.md", "vendor/x.php", "vendor/keep/y.php",
        "vendor/keep/z.txt", "docs/index.md", "docs/other.md", "tmp1", "tmp", "yes", "deep/yes",
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    tag = f"{source.product}/context:1"
    _build_plainly(builder, "--tag", tag, str(folder))
    listing = _docker(
        builder, "run", "--rm", tag, "sh", "-c", "cd /context && find . -type f -printf '%P\\n'"
    )
    hashed = [path for path in context_entries(folder, context_rules(source)) if (folder / path).is_file()]
    assert hashed == sorted(listing.stdout.split())


async def test_many_releases_are_listed_in_one_question(builder: Builder, make_source: MakeSource) -> None:
    source = make_source(image=ImageBuild(target="production"))
    await _build(builder, source)
    origin = _releases(builder, source)[0]
    for number in range(19):
        dockerfile = f"FROM {source.product}/hello:a1b2c3d\nLABEL ecluse.version=v{number}\n"
        _build_plainly(builder, "--tag", f"{source.product}/hello:v{number}", "-", dockerfile=dockerfile)
    began = time.monotonic()
    found = _releases(builder, source)
    assert time.monotonic() - began < 3
    assert len(found) == 20
    assert {release.content for release in found} == {origin.content}


def _build_plainly(builder: Builder, *arguments: str, dockerfile: str | None = None) -> None:
    subprocess.run(
        [builder.command, "build", "--quiet", *arguments], input=dockerfile, text=True, check=True,
        capture_output=True, timeout=120, env={**os.environ, "DOCKER_BUILDKIT": "1"},
    )  # fmt: skip


async def _collect(source: AsyncIterator[BuildProgress], into: list[BuildProgress]) -> None:
    async for one in source:
        into.append(one)


async def _until(progress: AsyncIterator[BuildProgress], line: str, seen: asyncio.Event) -> None:
    async for one in progress:
        if one.line == line:
            seen.set()


async def _gone(marker: str) -> bool:
    for _ in range(100):
        listing = await asyncio.to_thread(
            subprocess.run, ["ps", "-eo", "args"], capture_output=True, text=True, timeout=10
        )
        if marker not in listing.stdout:
            return True
        await asyncio.sleep(0.1)
    return False


def _test_containers(builder: Builder, source: Source) -> list[str]:
    label = f"label=ecluse.tests-of={source.product}/{source.service}"
    listing = _docker(builder, "ps", "--all", "--filter", label, "--format", "{{json .Names}}")
    return [json.loads(line) for line in listing.stdout.splitlines()]
