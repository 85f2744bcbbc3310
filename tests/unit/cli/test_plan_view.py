from __future__ import annotations

import pytest

from ecluse.cli.plan_view import show_plan
from ecluse.delivery.plan import make_plan
from ecluse.model.observed import Observed
from ecluse.model.plan import Change, Difference, Plan
from ecluse.model.secret import Sealed
from tests.unit.delivery.samples import NOTHING, application, database, desired, known, running


def shown(plan: Plan, capsys: pytest.CaptureFixture[str]) -> str:
    show_plan(plan)
    return capsys.readouterr().out


def test_nothing_to_do_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    api = application("api")
    plan = make_plan(desired(api), running(api), known(api), [])
    assert shown(plan, capsys) == "test: nothing to do (1 service as wanted)\n"


def test_a_plan_names_every_key_and_hides_every_secret(capsys: pytest.CaptureFixture[str]) -> None:
    old = application("api", "1", settings={"LEVEL": "info", "TOKEN": Sealed("aaaa1111")})
    new = application("api", "2", settings={"LEVEL": "debug", "TOKEN": Sealed("bbbb2222")}, replicas=2)
    plan = make_plan(desired(new), running(old), known(old), [], warnings=["look at this"])
    assert shown(plan, capsys) == (
        "deploy test, configuration abc1234\n"
        "  api  1 → 2\n"
        "\n"
        "~ replace api/web\n"
        "    image         1 (111111111111) → 2 (222222222222)\n"
        "    config LEVEL  info → debug    from config/common.yaml:1 (common)\n"
        "    config TOKEN  a secret, changed    from config/common.yaml:1 (common)\n"
        "    replicas      1 → 2\n"
        "\n"
        "1 change: 1 to replace\n"
        "warning: look at this\n"
    )


def test_a_first_deployment_shows_what_comes(capsys: pytest.CaptureFixture[str]) -> None:
    api = application("api", backing=("db",))
    plan = make_plan(desired(api, backing=(database("api"),)), Observed(exists=False), NOTHING, [])
    assert shown(plan, capsys) == (
        "deploy test, configuration abc1234\n"
        "  api  (not there) → 1\n"
        "\n"
        "+ provide db\n"
        "    version      mariadb 10.11\n"
        "    account api  a secret, new\n"
        "\n"
        "+ create api/web\n"
        "    image     1 (111111111111)\n"
        "    replicas  1\n"
        "    expose    api\n"
        "    port      8080\n"
        "\n"
        "2 changes: 1 to provide, 1 to create\n"
    )


def test_long_and_many_lined_values_are_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    found = (Difference("file /etc/x", "a\nb\n", "a\nb\nc\n"), Difference("config LONG", "x" * 80, ""))
    plan = Plan("test", "deploy", "r", (), (Change("replace", "api/web", differences=found),))
    text = shown(plan, capsys)
    assert "file /etc/x  (2 lines) → (3 lines)" in text
    assert f'config LONG  {"x" * 59}… → ""' in text
