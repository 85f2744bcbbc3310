"""What must hold before a deployment: reasons to refuse, each a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ecluse.errors import Refused
from ecluse.model.application import Desired
from ecluse.model.deployment import KnownGood
from ecluse.model.product import Environment


def refusals(environment: Environment, desired: Desired, before: Mapping[str, KnownGood]) -> list[str]:
    """Why this may not go to this environment. `before`: what is known good in each one that it follows."""
    reasons = list(_not_verified(environment, desired, before))
    if environment.protected:
        reasons += _not_clean(environment, desired)
    return reasons


def _not_verified(
    environment: Environment, desired: Desired, before: Mapping[str, KnownGood]
) -> Iterable[str]:
    for name, application in desired.applications.items():
        for earlier in environment.follows:
            known = before[earlier].applications.get(name)
            if known is None or known.release.image_id != application.release.image_id:
                yield f"{name} {application.release.version} is not what is known good in {earlier}"


def _not_clean(environment: Environment, desired: Desired) -> list[str]:
    reasons = [
        f"{name} {application.release.version} was built from uncommitted changes"
        for name, application in desired.applications.items()
        if application.release.dirty
    ]
    if desired.dirty:
        reasons.append(f"the configuration has uncommitted changes, and {environment.name} is protected")
    return reasons


def refuse(reasons: list[str], *, what: str) -> None:
    """Raises Refused when there is a reason."""
    if reasons:
        listed = "\n".join(f"  - {reason}" for reason in reasons)
        raise Refused(
            f"{what} is refused:\n{listed}",
            hint="mend what is listed, or --override REASON (it is recorded)",
        )
