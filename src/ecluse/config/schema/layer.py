"""The shape of a layer file. `app` is free; what `run` says may be references."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ecluse.config.schema.fields import Duration, Nothing, Reason, Schedule, Shape, Zone
from ecluse.config.schema.service import Flag, ProcessText


class CronRunText(Shape):
    enabled: Flag | None = None
    schedule: Schedule | None = None
    timezone: Zone | None = None
    reason: str | None = None
    timeout: Duration | None = None
    overlap: Literal["skip", "queue"] | None = None
    missed: Literal["skip", "once"] | None = None


class RunText(Shape, extra="allow"):
    """`crons` apart, each key is a process name, or `*` for every process."""

    crons: Annotated[dict[str, CronRunText], Nothing] = Field(default_factory=dict)
    __pydantic_extra__: dict[str, ProcessText]


def _silent() -> RunText:
    return RunText.model_validate({})


class ServiceLayerText(Shape):
    app: Annotated[dict[str, Any], Nothing] = Field(default_factory=dict)
    run: Annotated[RunText, Nothing] = Field(default_factory=_silent)
    reasons: Annotated[dict[str, Reason], Nothing] = Field(default_factory=dict)


class SharedLayerText(ServiceLayerText):
    services: Annotated[dict[str, Annotated[ServiceLayerText, Nothing]], Nothing] = Field(
        default_factory=dict
    )
