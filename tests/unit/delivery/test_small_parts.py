from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ecluse.delivery import gates, rollback
from ecluse.delivery.order import by_use
from ecluse.delivery.queue import blocker, busy, occupant, startable
from ecluse.delivery.queue import waiting as wait_words
from ecluse.delivery.selection import Catalogue, Selector, parse_selectors
from ecluse.errors import NotFound, Refused, UsageError
from ecluse.model.deployment import Deployment, Pending
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.plan import Intent, Plan, Step
from ecluse.model.product import Environment, Place
from ecluse.model.release import Release
from tests.unit.delivery.samples import NOON, TARGET, application, desired, known

TEST = EnvironmentName("test")


def environment(**facts: Any) -> Environment:
    return Environment(
        EnvironmentName("prod"),
        "prod.localhost",
        {"docker": Place("docker", "docker")},
        "docker",
        {},
        {},
        **facts,
    )


def pending(
    number: int,
    state: str,
    kind: str = "deploy",
    where: str = "test",
    *claims: str,
    commands: tuple[str, ...] = (),
) -> Pending:
    place = EnvironmentName(where)
    return Pending(number, place, kind, state, "me", NOON, commands, claims or ("*",))  # type: ignore[arg-type]


def moved(number: int, *services: str, rolled_to: int | None = None, state: str = "succeeded") -> Deployment:
    kind = "rollback" if rolled_to else "deploy"
    steps = tuple(Step(ServiceName(name), None, "1") for name in services)
    plan = Plan("test", kind, "", steps, ())  # type: ignore[arg-type]
    intent = Intent(TARGET, plan, {}, {}, rolled_to=rolled_to)
    return Deployment(number, TEST, kind, state, "me", NOON, intent)  # type: ignore[arg-type]


def image(service: str, version: str, minutes: int) -> Release:
    made = NOON + timedelta(minutes=minutes)
    name = ServiceName(service)
    return Release(name, version, f"sha256:{version}", version, version, made, None, False, "", {})


def test_services_come_after_those_that_they_use_and_a_circle_does_not_hang() -> None:
    apps = {
        app.service: app
        for app in (
            application("a", uses=("b",)),
            application("b", uses=("c",)),
            application("c", uses=("a",)),
        )
    }
    assert by_use(apps) == ("c", "b", "a")


def test_one_deployment_at_a_time_in_an_environment_and_tasks_beside_it() -> None:
    waiting = [
        pending(1, "running"),
        pending(2, "queued"),
        pending(3, "queued", "run"),
        pending(4, "queued", where="prod"),
        pending(5, "queued", where="prod"),
    ]
    assert startable(waiting) == [3, 4]


def test_deployments_of_different_services_go_on_side_by_side() -> None:
    waiting = [
        pending(1, "running", "deploy", "test", "service/api"),
        pending(2, "queued", "deploy", "test", "service/web"),
        pending(3, "queued", "deploy", "test", "service/api", "service/web"),
        pending(4, "queued", "promote", "test", "service/pay", "db"),
        pending(5, "queued", "deploy", "test", "service/mail", "db"),
    ]
    assert startable(waiting) == [2, 4]
    assert [blocker(item, waiting) for item in waiting] == [None, None, waiting[0], None, waiting[3]]


def test_nobody_overtakes_who_waits_for_the_same() -> None:
    waiting = [
        pending(1, "running", "deploy", "test", "service/api"),
        pending(2, "queued", "down"),
        pending(3, "queued", "deploy", "test", "service/web"),
    ]
    assert startable(waiting) == []
    assert blocker(waiting[2], waiting) == waiting[1]
    assert startable(waiting[1:]) == [2]


def test_a_task_waits_for_a_deployment_that_runs_it_too() -> None:
    waiting = [
        pending(1, "running", "deploy", "test", "service/api", commands=("api/migrate",)),
        pending(2, "queued", "run", commands=("api/migrate",)),
        pending(3, "queued", "run", commands=("api/mail",)),
    ]
    assert startable(waiting) == [3]


def test_who_waits_is_told_for_whom_and_since_when() -> None:
    holder = pending(7, "running")
    since = NOON.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert wait_words(holder) == f"waits for deployment 7 (deploy), asked by me at {since}"


def test_a_version_is_named_or_the_current_one_or_the_newest() -> None:
    catalogue = Catalogue([image("api", "3", 3), image("api", "2", 2), image("api", "1", 1)])
    api = ServiceName("api")
    assert catalogue.choose(Selector(api, "1"), {}).version == "1"
    assert catalogue.choose(Selector(api), {api: "2"}).version == "2"
    assert catalogue.choose(Selector(api), {}).version == "3"
    assert catalogue.choose(Selector(api, "latest"), {api: "2"}).version == "3"


def test_an_unknown_version_is_said_with_what_there_is() -> None:
    with pytest.raises(NotFound) as caught:
        Catalogue([image("api", "1.2.0", 1)]).choose(Selector(ServiceName("api"), "1.2.1"), {})
    assert caught.value.message == "there is no release 1.2.1 of api"
    assert caught.value.hint == "did you mean 1.2.0?"


def test_selectors_name_known_services_once() -> None:
    services = [ServiceName("invoicing"), ServiceName("api")]
    assert parse_selectors(["api=1.0", "invoicing"], services) == [
        Selector(ServiceName("api"), "1.0"),
        Selector(ServiceName("invoicing")),
    ]
    with pytest.raises(NotFound) as unknown:
        parse_selectors(["invoising"], services)
    assert unknown.value.hint == "did you mean invoicing?"
    with pytest.raises(UsageError):
        parse_selectors(["api", "api=1"], services)
    with pytest.raises(UsageError):
        parse_selectors(["api="], services)


def test_what_is_not_known_good_in_the_environment_before_is_refused() -> None:
    api = application("api", "2")
    prod = environment(follows=(TEST,))
    assert gates.refusals(prod, desired(api), {"test": known(application("api", "1"))}) == [
        "api 2 is not what is known good in test"
    ]
    assert gates.refusals(prod, desired(api), {"test": known(api)}) == []


def test_a_refusal_lists_every_reason() -> None:
    with pytest.raises(Refused) as caught:
        gates.refuse(["one", "two"], what="deploy to prod")
    assert caught.value.message == "deploy to prod is refused:\n  - one\n  - two"


def test_a_rollback_goes_to_the_deployment_before_and_a_second_one_further_back() -> None:
    history = [moved(3, "api"), moved(2, "api"), moved(1, "api")]
    assert rollback.target(history, [], None) == 2
    again = [moved(4, "api", rolled_to=2), *history]
    assert rollback.target(again, [], None) == 1


def test_failed_deployments_are_nothing_to_go_back_to() -> None:
    history = [moved(3, "api"), moved(2, "api", state="restored"), moved(1, "api")]
    assert rollback.target(history, [], None) == 1
    with pytest.raises(NotFound):
        rollback.target(history, [], 2)
    with pytest.raises(UsageError):
        rollback.target(history[2:], [], None)


def test_a_rollback_of_one_service_looks_at_its_own_deployments() -> None:
    history = [moved(3, "other"), moved(2, "api"), moved(1, "api", "other")]
    assert rollback.target(history, [ServiceName("api")], None) == 1


def running(number: int, state: str, command: str, *, kind: str = "run", where: str = "test") -> Pending:
    return replace(pending(number, state, kind, where), commands=(command,))


def test_a_command_never_runs_twice_at_once_in_an_environment() -> None:
    waiting = [
        running(1, "running", "api/mail"),
        running(2, "queued", "api/mail"),
        running(3, "queued", "web/mail"),
        running(4, "queued", "web/mail"),
        running(5, "queued", "api/mail", where="prod"),
    ]
    assert startable(waiting) == [3, 5]
    assert startable(waiting[1:]) == [2, 3, 5]


def test_a_deployment_waits_for_a_release_task_that_somebody_runs_and_the_other_way_round() -> None:
    by_hand = running(1, "running", "api/migrate")
    deploying = replace(running(2, "queued", "api/migrate", kind="deploy"), claims=("service/api",))
    other = pending(3, "queued", "deploy", "test", "service/web")
    assert startable([by_hand, deploying, other]) == [3]
    assert startable([replace(deploying, state="running"), replace(by_hand, state="queued")]) == []


def test_a_refusal_says_who_runs_it_and_since_when() -> None:
    holder = running(7, "running", "api/mail")
    assert occupant([pending(1, "running"), holder], ["api/mail"]) == holder
    assert occupant([holder], ["api/mai"]) is None
    refused = busy(holder, ["api/mail"])
    since = NOON.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert refused.message == f"api/mail runs already in test: deployment 7, asked by me at {since}"
    assert refused.exit_code == 6
    assert "waits to run" in busy(replace(holder, state="queued"), ["api/mail"]).message
