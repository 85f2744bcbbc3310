"""The cause card, made from what the record holds of a deployment that really failed on the in-memory engine."""

from __future__ import annotations

from dataclasses import replace

from ecluse.cli.card_view import show_card
from ecluse.delivery.cards import card
from ecluse.model.card import Card
from ecluse.model.cause import Cause
from ecluse.model.secret import Sealed
from ecluse.store.database import open_memory
from ecluse.store.records import SqlRecords
from tests.unit.delivery.samples import application
from tests.unit.delivery.test_execute import TEST, Workshop

REFUSED = Cause(
    "exited",
    "api/web",
    "api/web exited with code 3 before it was ready",
    ("exited with code 3",),
    ("no such table",),
)


async def failed(workshop: Workshop, *, restored: bool = True) -> Card:
    """Version 2 with another configuration, after a good version 1."""
    old = application("api", settings={"LEVEL": "info", "TOKEN": Sealed("a" * 8)}, uses=("web",))
    new = application("api", "2", settings={"LEVEL": "debug", "TOKEN": Sealed("b" * 8), "NEW": "x"})
    new = replace(new, release=replace(new.release, commit="def"))
    await workshop.deploy(old, application("web"))
    workshop.engine.fail("api/web", REFUSED, version="2")
    if not restored:
        workshop.engine.fail("web/web", version="1")
    await workshop.deploy(new, application("web", "2"))
    deployment = workshop.records.deployment(2)
    made = card(
        deployment,
        before=workshop.records.known_good(TEST, at=1),
        events=workshop.records.events(2),
        kept_out=workshop.records.quarantined(TEST),
    )
    assert made is not None
    return made


async def test_a_card_tells_why_what_changed_what_was_done_and_what_to_try() -> None:
    made = await failed(Workshop())
    lines: list[str] = []
    show_card(made, lines.append)
    assert lines[1:] == [
        "why: api/web exited with code 3 before it was ready",
        "    exited with code 3",
        "last lines of its log:",
        "    | no such table",
        "changed in api, since deployment 1:",
        "    version  1 → 2",
        "    commit   (none) → def",
        "    config LEVEL  info → debug    from config/common.yaml:1 (common)",
        "    config NEW  x    from config/common.yaml:1 (common)",
        "    config TOKEN  a secret, changed    from config/common.yaml:1 (common)",
        "    uses  web → (none)",
        "changed in web, since deployment 1:",
        "    version  1 → 2",
        "done:",
        "    restored to api 1, as deployment 1 left it",
        "    restored to web 1, as deployment 1 left it",
        "    api 2 is quarantined in test: it is refused there until `ecluse quarantine test --lift api`"
        ", or with another configuration",
        "try:",
        "    read the last lines of its log; `ecluse run` and `ecluse debug` try commands in the same image",
    ]


async def test_what_could_not_be_restored_is_said() -> None:
    made = await failed(Workshop(), restored=False)
    assert made.done[:2] == (
        "restored to api 1, as deployment 1 left it",
        "NOT restored: web/web: web/web was told to fail",
    )


async def test_the_configuration_is_suspected_where_the_image_ran_well() -> None:
    workshop = Workshop()
    await workshop.deploy(application("api"))
    workshop.engine.fail("api/web", REFUSED)
    await workshop.deploy(application("api", settings={"LEVEL": "debug"}))
    made = card(workshop.records.deployment(2), before=workshop.records.known_good(TEST))
    assert made is not None
    assert (
        made.advice[-1] == "the image of api is the one that ran well: look at the configuration that changed"
    )


async def test_a_service_that_never_ran_well_is_told_as_new() -> None:
    workshop = Workshop()
    workshop.engine.fail("api/web", REFUSED)
    await workshop.deploy(application("api"))
    events = workshop.records.events(1)
    made = card(workshop.records.deployment(1), before=workshop.records.known_good(TEST), events=events)
    assert made is not None
    assert made.changed[0].good is None
    assert made.done == ("api was not there before, and was taken away again",)


async def test_a_deployment_that_went_well_has_no_card() -> None:
    workshop = Workshop()
    await workshop.deploy(application("api"))
    assert card(workshop.records.deployment(1), before=workshop.records.known_good(TEST)) is None


async def test_the_service_yaml_is_suspected_where_the_image_ran_well() -> None:
    workshop = Workshop()
    await workshop.deploy(application("api"))
    workshop.engine.fail("api/web", REFUSED)
    await workshop.deploy(application("api", form="another", replicas=2))
    made = card(workshop.records.deployment(2), before=workshop.records.known_good(TEST))
    assert made is not None
    assert made.advice[-1] == (
        "the image of api is the one that ran well: look at what changed in its service.yaml or templates"
    )


async def test_only_what_was_begun_is_told_as_restored() -> None:
    workshop = Workshop()
    await workshop.deploy(application("api"), application("web", uses=("api",)))
    workshop.engine.fail("api/web", REFUSED, version="2")
    await workshop.deploy(application("api", "2"), application("web", "2", uses=("api",)))
    known, events = workshop.records.known_good(TEST), workshop.records.events(2)
    made = card(workshop.records.deployment(2), before=known, events=events)
    assert made is not None
    assert made.done == ("restored to api 1, as deployment 1 left it",)
    number = workshop.records.enqueue(await workshop.intent(application("api", "3")), by="me")
    workshop.records.request_cancel(number)
    await workshop.resume(number)
    made = card(workshop.records.deployment(number), before=known, events=workshop.records.events(number))
    assert made is not None
    assert made.done == ("nothing was changed",)


async def test_what_ran_without_being_on_record_is_told_as_left_alone() -> None:
    workshop = Workshop()
    await workshop.deploy(application("api"))
    workshop.records = SqlRecords(open_memory())
    workshop.engine.fail("api/web", REFUSED, version="2")
    await workshop.deploy(application("api", "2"))
    known, events = workshop.records.known_good(TEST), workshop.records.events(1)
    made = card(workshop.records.deployment(1), before=known, events=events)
    assert made is not None
    assert made.done == ("NOT restored: api 1 ran without being on record, and stays as it is now",)
