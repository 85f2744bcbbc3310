"""The corpus of causes (tests/causes): thirty ways to fail, each recognised for what it is, on real containers.

A case is the folder of a small service, with `expected.txt`: the kind of the cause, its sentence, its hint. All are
services of one product, and are deployed by the interpreter itself, in six environments side by side.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from ecluse.cli.card_view import show_card
from ecluse.delivery.execute import Execution
from ecluse.delivery.journal import MemoryJournal
from ecluse.model.card import Card
from ecluse.settings import read_settings
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import Proposal, propose, wish
from ecluse.wiring.why import read_card
from tests.acceptance.installed import Command, docker, remove_images

FOLDER = Path(__file__).parents[1] / "causes"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/expected.txt"))
LANES = tuple(f"lane-{number}" for number in range(1, 7))
BESIDE_WELL = "neighbour-not-declared"
"""The case that looks for `well`, which runs in the first lane."""

pytestmark = pytest.mark.usefixtures("docker_engine")


@dataclass(frozen=True, slots=True)
class Failed:
    """How the deployment of a case ended."""

    state: str
    shown: Card | None
    image: str

    @property
    def card(self) -> Card:
        assert self.shown is not None, f"it ended as {self.state}, without a cause"
        return self.shown


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory, edge_port: int) -> Iterator[dict[str, Failed]]:
    """Every case, deployed once."""
    root, mark = tmp_path_factory.mktemp("causes"), uuid4().hex[:8]
    product, base = f"causes-{mark}", f"ecluse-test/causes:{mark}"
    docker(
        "build",
        "--quiet",
        "--network",
        "host",
        "-f",
        str(FOLDER / "base.Dockerfile"),
        "-t",
        base,
        str(FOLDER),
    )
    write_product(root, product, base)
    command = Command(root, tmp_path_factory.mktemp("state"), edge_port)
    try:
        command.ok("build", "--quiet", "--version", "1")
        yield asyncio.run(deploy_all(OpenProduct(root, read_settings(command.environment()))))
    finally:
        asyncio.run(take_away(OpenProduct(root, read_settings(command.environment()))))
        remove_images(product)
        docker("image", "rm", base)


def write_product(root: Path, product: str, base: str) -> None:
    (root / "ecluse.yaml").write_text(
        f"product: {product}\n"
        "environments:\n"
        + "".join(f"  {lane}: {{engine: docker, domain: {lane}.causes.localhost}}\n" for lane in LANES)
        + "backing:\n"
        "  gone: {kind: redis, image: 'no-such-registry.invalid/redis:1'}\n"
        f"  broken: {{kind: redis, image: '{base}'}}\n"
    )
    for name in (*CASES, "well", "away"):
        shutil.copytree(
            FOLDER / name, root / "services" / name, ignore=shutil.ignore_patterns("expected.txt")
        )
        dockerfile = root / "services" / name / "Dockerfile"
        dockerfile.write_text(dockerfile.read_text().replace("BASE", base, 1))


async def deploy_all(product: OpenProduct) -> dict[str, Failed]:
    """Each lane is an environment, which deploys its share of the cases one after the other."""
    found: dict[str, Failed] = {}

    async def travel(lane: str, names: list[str]) -> None:
        for name in names:
            found[name] = await deploy(product, lane, name)

    well = await execute(product, await planned(product, LANES[0], "well"))
    assert product.acting.records.deployment(well).state == "succeeded"
    rest = [name for name in CASES if name != BESIDE_WELL]
    shares = {lane: rest[number :: len(LANES)] for number, lane in enumerate(LANES)}
    shares[LANES[0]].append(BESIDE_WELL)
    await asyncio.gather(*(travel(lane, names) for lane, names in shares.items()))
    return found


async def take_away(product: OpenProduct) -> None:
    """By the engine alone: no runner shall take up what a test left in hand."""
    engine = product.acting.engine()
    for lane in LANES:
        async for _ in engine.remove(product.target(product.environment(lane)), volumes=True):
            pass
    await engine.close()


async def planned(product: OpenProduct, lane: str, name: str) -> Proposal:
    proposal = await propose(product, wish(product, lane, [name]), product.acting)
    assert not proposal.refusals
    return proposal


async def deploy(product: OpenProduct, lane: str, name: str) -> Failed:
    number = await execute(product, await planned(product, lane, name))
    deployment = product.acting.records.deployment(number)
    card = read_card(product, product.acting, deployment)
    (application,) = deployment.intent.applications.values()
    return Failed(deployment.state, card, application.release.image_id)


async def execute(product: OpenProduct, proposal: Proposal) -> int:
    state, number = product.acting, proposal.enqueue()
    (application,) = proposal.intent.applications.values()
    if application.service == "image-gone":
        docker("image", "rm", "--force", application.release.image_id)
    engine = state.engine()
    try:
        execution = Execution(
            state.records.deployment(number), engine=engine, journal=MemoryJournal(), records=state.records,
            clock=state.clock,
        )  # fmt: skip
        await execution.execute()
    finally:
        await engine.close()
    return number


@pytest.mark.parametrize("name", CASES)
def test_each_way_of_failing_is_recognised(failures: dict[str, Failed], name: str) -> None:
    found = failures[name]
    cause = found.card.cause
    expected = (FOLDER / name / "expected.txt").read_text().replace("IMAGE", found.image).splitlines()
    told = [cause.kind, cause.sentence, *([cause.hint] if cause.hint else [])]
    assert told == expected, f"{cause.evidence}\n{cause.logs}"
    assert found.state == "restored", found.card.done


@pytest.mark.parametrize("name", CASES)
def test_each_card_has_evidence_and_something_to_try(failures: dict[str, Failed], name: str) -> None:
    lines: list[str] = []
    show_card(failures[name].card, lines.append)
    assert failures[name].card.cause.evidence
    assert {"done:", "try:"} <= set(lines)


def test_what_a_program_said_last_is_on_its_card(failures: dict[str, Failed]) -> None:
    said = {
        "exits-with-a-code": "no such table: customers",
        "task-fails": "duplicate column",
        "ends-later": "lost the queue",
        "nothing-listens": "waiting for nothing",
    }
    for name, line in said.items():
        assert line in failures[name].card.cause.logs
    quoted = failures["probe-in-error"].card.cause.evidence
    assert "it said: SQLSTATE[42S02]: table not found" in quoted


def test_only_what_speaks_against_a_release_quarantines_it(failures: dict[str, Failed]) -> None:
    def kept_out(names: Sequence[str]) -> set[str]:
        return {name for name in names if any("is quarantined" in line for line in failures[name].card.done)}

    blameless = {
        "image-gone", "neighbour-missing", "disk-full", "port-taken-twice", "file-in-the-way", "file-not-understood",
        "file-of-somebody-else", "store-image-gone", "store-does-not-start",
    }  # fmt: skip
    assert kept_out(CASES) == set(CASES) - blameless
