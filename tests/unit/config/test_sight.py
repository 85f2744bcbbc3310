"""What the questions show is what a deployment would bring: one resolver, the same places."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.config.check import tree_releases
from ecluse.config.load import load
from ecluse.config.resolve import resolve
from ecluse.config.scope import Means
from ecluse.config.sight import open_sight
from ecluse.config.workspace import open_workspace
from ecluse.model.names import EnvironmentName
from ecluse.secrets.memory import MemorySecrets, MemoryVault

COMPTOIR = Path(__file__).parents[3] / "examples" / "comptoir"


@pytest.mark.parametrize("environment", ["test", "prod"])
def test_every_value_and_its_place_are_those_of_the_resolver_of_plans(environment: str) -> None:
    configuration = load(open_workspace(COMPTOIR))
    releases = dict(tree_releases(configuration))
    secrets, vault, name = MemorySecrets({"DEMO_PASSWORD": "x"}), MemoryVault(), EnvironmentName(environment)
    means = Means(secrets, vault, public_port=8080)
    resolved = resolve(configuration, name, releases, releases, means)
    sight = open_sight(configuration, name, means)
    for service, application in resolved.desired.applications.items():
        shown = {one.name: one for one in sight.keys(service) if one.text is not None}
        assert {f"app.{one.key}" for one in application.settings} == set(shown)
        for setting in application.settings:
            seen = shown[f"app.{setting.key}"]
            assert (seen.text, seen.origin) == (setting.text, setting.origin)
            assert seen.beaten == setting.beaten
            direct = tuple(one.name for one in seen.through)
            assert set(direct) <= set(setting.through)
    assert not sight.problems
