"""Builds releases: for each service the image of its tests, the tests, then the image that is delivered."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ecluse.errors import BuildFailed, EcluseError, TimedOut
from ecluse.images import command, commands
from ecluse.images.client import Builder
from ecluse.images.commands import TestLimits
from ecluse.images.decide import Make, Relabel, Unchanged, check_version, decide
from ecluse.images.dockerfile import read_instructions
from ecluse.images.inputs import inputs_digest, read_dockerfile
from ecluse.images.labels import release_labels
from ecluse.images.progress import LAST_LINES, BuildLog, clean, hint_for
from ecluse.images.releases import DockerReleases
from ecluse.model.release import Release
from ecluse.model.service import ImageTests
from ecluse.model.source import BuildProgress, BuildStage, Source

BUILD_TIMEOUT = 3600.0

Report = Callable[[BuildProgress], None]


async def build(
    sources: Sequence[Source],
    *,
    version: str | None = None,
    jobs: int = 2,
    builder: Builder,
    limits: TestLimits | None = None,
) -> AsyncIterator[BuildProgress]:
    """Makes a release of each source, `jobs` at a time, and tells what happens.

    Every source runs to its end; then what failed is raised: BuildFailed, or Refused when that is all there
    was. Closing the iterator, or cancelling its task, ends everything that was started.
    """
    if version is not None:
        check_version(version)
    queue: asyncio.Queue[BuildProgress | None] = asyncio.Queue()
    work = asyncio.create_task(_build_all(sources, version, jobs, builder, limits or TestLimits(), queue))
    work.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (progress := await queue.get()) is not None:
            yield progress
        await work
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError, EcluseError):
            await work


async def _build_all(
    sources: Sequence[Source],
    version: str | None,
    jobs: int,
    builder: Builder,
    limits: TestLimits,
    queue: asyncio.Queue[BuildProgress | None],
) -> None:
    releases = await _releases(sources, builder)
    turn = asyncio.Semaphore(jobs)

    async def build_one(source: Source) -> EcluseError | None:
        known = [release for release in releases if release.service == source.service]
        async with turn:
            one = _ServiceBuild(source, builder, limits, queue.put_nowait, time.monotonic())
            return await one.run(version, known)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(build_one(source)) for source in sources]
    failures = [failure for task in tasks if (failure := task.result())]
    if failures:
        raise _together(failures)


async def _releases(sources: Sequence[Source], builder: Builder) -> Sequence[Release]:
    products = dict.fromkeys(source.product for source in sources)
    found = [await asyncio.to_thread(DockerReleases(product, builder.command).list) for product in products]
    return [release for releases in found for release in releases]


def _together(failures: Sequence[EcluseError]) -> EcluseError:
    if len(failures) == 1:
        return failures[0]
    kinds = {type(failure) for failure in failures}
    kind = kinds.pop() if len(kinds) == 1 else BuildFailed
    hints = dict.fromkeys(failure.hint for failure in failures if failure.hint)
    return kind("\n\n".join(failure.message for failure in failures), hint="\n".join(hints) or None)


@dataclass(frozen=True, slots=True)
class _ServiceBuild:
    """One service on its way; reports as it goes."""

    source: Source
    builder: Builder
    limits: TestLimits
    report: Report
    began: float

    async def run(self, version: str | None, known: Sequence[Release]) -> EcluseError | None:
        """Gives the failure instead of raising it: the other services go on."""
        try:
            await self._run(version, known)
        except EcluseError as error:
            self._tell("failed", error.message.splitlines()[0])
            return error
        return None

    async def _run(self, version: str | None, known: Sequence[Release]) -> None:
        self._tell("checking")
        inputs = await asyncio.to_thread(inputs_digest, self.source)
        match decide(self.source, inputs=inputs, version=version, releases=known):
            case Unchanged(release):
                self._tell("unchanged", version=release.version, image_id=release.image_id)
            case Relabel(release, wanted):
                await self._relabel(release, wanted, inputs)
            case Make(wanted):
                await self._test(inputs)
                await self._make(wanted, inputs)

    async def _test(self, inputs: str) -> None:
        if (tests := self.source.image.tests) is None:
            return
        image = commands.test_tag(self.source, inputs)
        marks = commands.test_marks(self.source)
        argv = commands.build_command(self.builder, self.source, target=tests.target, tag=image, marks=marks)
        await self._docker_build("test image", argv, f"the image of its tests (stage {tests.target})")
        await self._run_tests(tests, image)

    async def _run_tests(self, tests: ImageTests, image: str) -> None:
        self._tell("tests")
        for words in tests.commands:
            self._tell("tests", "$ " + " ".join(words))
            await self._run_test(words, image)

    async def _run_test(self, words: Sequence[str], image: str) -> None:
        last: deque[str] = deque(maxlen=LAST_LINES)

        def on_line(raw: str) -> None:
            last.append(clean(raw))
            self._tell("tests", last[-1])

        container = f"ecluse-test-{self.source.service}-{secrets.token_hex(6)}"
        argv = commands.test_command(
            self.builder, image=image, container=container, command=words, limits=self.limits
        )
        what = " ".join(words)
        try:
            code = await self._command(argv, what, self.limits.timeout, on_line)
        except BaseException as error:
            # The client is gone, the container is not: only the engine can end it.
            await asyncio.shield(self._remove(container))
            if isinstance(error, TimedOut):
                raise self._test_failure(
                    what, f"not finished after {self.limits.timeout:g} s", last
                ) from error
            raise
        if code:
            raise self._test_failure(what, _why_exited(code, self.limits), last)

    def _test_failure(self, what: str, why: str, last: Sequence[str]) -> BuildFailed:
        lines = "".join(f"\n  | {line}" for line in last)
        return BuildFailed(
            f"{self.source.service}: test failed: {what}: {why}{lines}",
            hint="no release was made; the image that the tests ran in is kept for a closer look",
        )

    async def _make(self, version: str, inputs: str) -> None:
        tag = commands.release_tag(self.source, version)
        argv = commands.build_command(
            self.builder, self.source, target=self.source.image.target, tag=tag,
            marks=self._labels(version, inputs),
        )  # fmt: skip
        await self._docker_build("image", argv, "the image")
        await self._done(tag, version)

    async def _relabel(self, release: Release, version: str, inputs: str) -> None:
        """The very content that was tested, under another version: no instruction runs again."""
        tag = commands.release_tag(self.source, version)
        argv = commands.relabel_command(self.builder, tag=tag, marks=self._labels(version, inputs))
        origin = commands.release_tag(self.source, release.version)
        # A release that was pulled has the name of its registry alone.
        await self._command([self.builder.command, "tag", release.image_id, origin], "tag", 60)
        await self._docker_build("image", argv, "the image", stdin=f"FROM {origin}\n".encode())
        await self._done(tag, version)

    def _labels(self, version: str, inputs: str) -> Mapping[str, str]:
        return release_labels(self.source, version=version, inputs=inputs, created=datetime.now(UTC))

    async def _docker_build(
        self, stage: BuildStage, argv: Sequence[str], what: str, stdin: bytes | None = None
    ) -> None:
        self._tell(stage)
        log = BuildLog()

        def on_line(raw: str) -> None:
            if (line := log.feed(raw)) is not None:
                self._tell(stage, line)

        if await self._command(argv, what, BUILD_TIMEOUT, on_line, stdin):
            reason = log.cause(read_instructions(read_dockerfile(self.source)), self.source.image.dockerfile)
            lines = "".join(f"\n  {line}" for line in reason)
            raise BuildFailed(
                f"{self.source.service}: {what} did not build{lines}", hint=hint_for("\n".join(reason))
            )

    async def _done(self, tag: str, version: str) -> None:
        ids: list[str] = []
        argv = [self.builder.command, "image", "inspect", "--format", "{{.Id}}", tag]
        if await self._command(argv, "the new image", 60, ids.append) or not ids:
            raise BuildFailed(f"{self.source.service}: {tag} was built and is not there")
        self._tell("done", version=version, image_id=ids[0])

    async def _remove(self, container: str) -> None:
        with suppress(EcluseError):
            await self._command(commands.remove_command(self.builder, container), container, 30)

    async def _command(
        self,
        argv: Sequence[str],
        what: str,
        timeout: float,
        on_line: Callable[[str], None] = lambda line: None,
        stdin: bytes | None = None,
    ) -> int:
        return await command.run(
            argv,
            waiting_for=f"{self.source.service}: {what}",
            timeout=timeout,
            environ={**os.environ, **commands.ENVIRONMENT},
            on_line=on_line,
            stdin=stdin,
        )

    def _tell(
        self,
        stage: BuildStage,
        line: str | None = None,
        *,
        version: str | None = None,
        image_id: str | None = None,
    ) -> None:
        seconds = round(time.monotonic() - self.began, 3)
        self.report(BuildProgress(self.source.service, stage, line, seconds, version, image_id))


def _why_exited(code: int, limits: TestLimits) -> str:
    if code == 137:
        return f"killed, most likely for using more than {limits.memory} of memory"
    if code in (126, 127):
        return f"cannot be run in the image of the tests (exit code {code})"
    return f"exit code {code}"
