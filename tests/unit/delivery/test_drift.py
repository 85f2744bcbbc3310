"""A saved plan holds as long as nothing touched its changes; otherwise it says which, and why."""

from __future__ import annotations

from dataclasses import replace

from ecluse.delivery.drift import drift
from ecluse.delivery.plan import make_plan
from ecluse.model.application import Application
from ecluse.model.observed import Observed
from ecluse.model.plan import Plan
from tests.unit.delivery.samples import application, desired, known, running

OLD, NEW = application("api"), application("api", "2")


def planned(observed: Observed, *good: Application) -> Plan:
    return make_plan(desired(NEW), observed, known(*good), [])


SAVED = planned(running(OLD), OLD)


def test_what_happens_to_other_services_touches_nothing() -> None:
    assert drift(SAVED, planned(running(OLD, application("web", "7")), OLD, application("web", "7"))) == []


def test_other_replicas_than_those_that_were_seen_are_drift() -> None:
    seen = running(OLD)
    again = replace(seen, replicas=(replace(seen.replicas[0], id="made-by-hand"),))
    assert drift(SAVED, planned(again, OLD)) == [
        "replace api/web: what it acts on is not there any more (api-web-1), others are"
    ]


def test_what_is_done_already_is_drift() -> None:
    assert drift(SAVED, planned(running(NEW), NEW)) == [
        "replace api/web: nothing is left to do, it is as the plan would make it"
    ]


def test_what_is_gone_needs_another_change() -> None:
    assert drift(SAVED, planned(Observed(exists=True), OLD)) == ["replace api/web: it would be create now"]


def test_another_starting_point_is_drift_though_the_replicas_are_the_same() -> None:
    between = application("api", settings={"LEVEL": "debug"})
    (sentence,) = drift(SAVED, planned(running(OLD), between))
    assert sentence == "replace api/web: it would change something else now (config LEVEL)"


def test_what_would_be_needed_as_well_is_drift() -> None:
    saved = make_plan(desired(NEW), running(NEW), known(NEW), [])
    assert drift(saved, planned(running(OLD), OLD)) == [
        "replace api/web: it was not in the plan, and would be needed now"
    ]
