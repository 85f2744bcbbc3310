"""What is kept out: a release that failed, and not the configuration that an environment gave it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecluse.delivery.quarantine import given, refusals
from ecluse.errors import Location
from ecluse.model.application import CONTRACT, SPECIFICATION, Application, Origin
from ecluse.model.cause import Cause
from ecluse.model.names import ServiceName
from ecluse.model.secret import Sealed
from tests.unit.delivery.samples import application, setting
from tests.unit.delivery.test_execute import TEST, Workshop

API = ServiceName("api")
GOOD = application("api", form="good")
BAD = application("api", content="content-1", version="2", form="bad", settings={})


@pytest.fixture
async def workshop() -> Workshop:
    """Where a good release runs."""
    workshop = Workshop()
    await workshop.deploy(GOOD)
    return workshop


def refused(workshop: Workshop, wanted: Application) -> list[str]:
    return list(
        refusals({API: wanted}, workshop.records.known_good(TEST), workshop.records.quarantined(TEST))
    )


async def fail(workshop: Workshop, wanted: Application) -> None:
    workshop.engine.fail("confirm api/web", Cause("exited", "api/web", "api/web exited"))
    assert await workshop.deploy(wanted) == "restored"
    workshop.engine.mend("confirm api/web")


async def test_a_bad_service_yaml_on_an_unchanged_image_is_held_back_and_the_next_one_is_not(
    workshop: Workshop,
) -> None:
    await fail(workshop, scaled(BAD))
    (sentence,) = refused(workshop, BAD)
    assert sentence.startswith("api 2 is quarantined here since deployment 2: api/web exited")
    mended = replace(BAD, release=replace(BAD.release, version="3", form="mended"))
    assert refused(workshop, mended) == []
    assert await workshop.deploy(scaled(mended)) == "succeeded"
    assert len(refused(workshop, BAD)) == 1
    assert await workshop.deploy(scaled(BAD)) == "succeeded"
    assert workshop.records.quarantined(TEST) == []


async def test_a_tag_on_the_same_image_and_service_yaml_is_held_back_too(workshop: Workshop) -> None:
    await fail(workshop, scaled(BAD))
    assert len(refused(workshop, replace(BAD, release=replace(BAD.release, version="tagged-again")))) == 1


async def test_the_configuration_of_the_environment_quarantines_nothing(workshop: Workshop) -> None:
    await fail(workshop, replace(GOOD, settings=(setting("LEVEL", "debug"),)))
    assert workshop.records.quarantined(TEST) == []


@pytest.mark.parametrize("content", ["content-1", "content-2"])
async def test_what_failed_with_a_new_configuration_may_come_with_another_one(
    workshop: Workshop, content: str
) -> None:
    new = replace(BAD, release=replace(BAD.release, content=content), settings=(setting("LEVEL", "wrong"),))
    await fail(workshop, scaled(new))
    (sentence,) = refused(workshop, new)
    assert (
        "(it may come with another configuration; to lift it: ecluse quarantine ENV --lift api)" in sentence
    )
    assert refused(workshop, replace(new, settings=(setting("LEVEL", "right"),))) == []
    assert len(refused(workshop, replace(new, settings=(setting("LEVEL", "wrong", line=7),)))) == 1


async def test_what_never_ran_well_is_held_back_with_its_configuration_only() -> None:
    workshop = Workshop()
    first = application("api", settings={"LEVEL": "wrong"})
    await fail(workshop, first)
    assert len(refused(workshop, first)) == 1
    right = application("api", settings={"LEVEL": "right"})
    assert refused(workshop, right) == []
    await fail(workshop, right)
    assert len(refused(workshop, first)) == len(refused(workshop, right)) == 1
    assert len(workshop.records.lift(TEST, API)) == 2


async def test_what_ran_well_before_forms_were_recorded_is_not_held_back(workshop: Workshop) -> None:
    unknown = Workshop()
    await unknown.deploy(application("api", form=""))
    await fail(unknown, replace(application("api", form="new"), settings=(setting("LEVEL", "debug"),)))
    assert unknown.records.quarantined(TEST) == []


def test_what_an_environment_gives_is_what_its_release_does_not_say() -> None:
    default = Origin(CONTRACT, Location("services/api/service.yaml", 3))
    spoken = Origin(SPECIFICATION, Location("services/api/service.yaml", 9))
    with_default = replace(GOOD, settings=(replace(setting("LEVEL", "info"), origin=default),))
    assert given(with_default) == given(GOOD)
    more = replace(GOOD.processes["web"], memory=2**27)
    by_release = replace(GOOD, processes={"web": more}, origins={"run.web.memory": spoken})
    assert given(by_release) == given(GOOD)
    layer = Origin("environment test", Location("config/environments/test/services/api.yaml", 2))
    by_environment = replace(by_release, origins={"run.web.memory": layer})
    assert given(by_environment) != given(GOOD)
    locked = [replace(GOOD, settings=(setting("TOKEN", Sealed.unreadable(mark)),)) for mark in "ab"]
    assert given(locked[0]) != given(locked[1])
    other = replace(by_environment, processes={"web": replace(more, memory=2**28)})
    assert given(other) != given(by_environment)


def scaled(wanted: Application) -> Application:
    """A change that the plan sees: the memory engine does not ask a probe."""
    return replace(wanted, processes={"web": replace(wanted.processes["web"], replicas=2)})
