"""The intent to run one task or cron of a service on its own."""

from __future__ import annotations

from ecluse.model.application import Application, Target
from ecluse.model.plan import Change, Intent, Plan, Step


def command_intent(
    target: Target, application: Application, name: str, *, key: str, note: str | None = None
) -> Intent:
    """`key` names the run: the same key is the same run, wherever it was cut short."""
    service = application.service
    version = application.release.version
    change = Change("run", f"{service}/{name}", service, name, key=key)
    plan = Plan(target.environment, "run", "", (Step(service, version, version),), (change,))
    return Intent(target, plan, {service: application}, {service: application}, note=note)
