"""The shape of a service.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from ecluse.config.schema.fields import (
    Command,
    ContainerPath,
    Cpu,
    Duration,
    FormatName,
    Host,
    Key,
    Memory,
    Mode,
    Name,
    Nothing,
    Owner,
    ProbePath,
    Referable,
    RelativePath,
    Schedule,
    Section,
    Shape,
    Share,
    Zone,
    must,
    nothing,
)
from ecluse.model.service import ValueType

Port = Annotated[int, Field(ge=1, le=65535), Referable]
Replicas = Annotated[int, Field(ge=0, le=1000), Referable]
Flag = Annotated[bool, Referable]


class ProbeText(Shape):
    path: ProbePath | None = None
    command: Command | None = None
    interval: Duration | None = None
    timeout: Duration | None = None
    deadline: Duration | None = None


class ExposureText(Shape):
    host: Host


class RolloutText(Shape):
    steps: list[Share] | None = None
    observe: Duration | None = None
    judge: Flag | None = None


class WebsocketsText(Shape):
    grace: Duration | None = None


class ProcessText(Shape):
    command: Command | None = None
    port: Port | None = None
    probe: ProbeText | None = None
    cpu: Cpu | None = None
    memory: Memory | None = None
    expose: ExposureText | None = None
    replicas: Replicas | None = None
    drain: Duration | None = None
    stop_grace: Duration | None = None
    rollout: RolloutText | None = None
    websockets: WebsocketsText | None = None


class TaskText(Shape):
    command: Command
    when: Literal["before", "after", "manual"] = "manual"
    reversible: bool = True
    timeout: Duration | None = None


class CronText(Shape):
    schedule: Schedule
    command: Command
    timezone: Zone | None = None
    enabled: Flag | None = None
    reason: str | None = None
    timeout: Duration | None = None
    overlap: Literal["skip", "queue"] | None = None
    missed: Literal["skip", "once"] | None = None


class ContractText(Shape):
    type: ValueType | None = None
    default: Any = None
    secret: bool = False
    required: bool = False
    required_when: str | None = None
    pattern: str | None = None
    choices: list[str] | None = None
    description: str | None = None
    deprecated: str | None = None
    replaced_by: str | None = None


class TestsText(Shape):
    target: str
    commands: Annotated[list[Command], Field(min_length=1)]


class ImageText(Shape):
    dockerfile: RelativePath = "Dockerfile"
    context: RelativePath = "."
    target: str | None = None
    tests: TestsText | None = None


class TemplateText(Shape):
    template: RelativePath
    mode: Mode = "0440"
    owner: Owner | None = None


class SettingsText(Shape):
    path: ContainerPath
    format: FormatName
    mode: Mode = "0440"
    owner: Owner | None = None
    section: Section | None = None


def _deliveries(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _delivery(value: object) -> object:
    if value != "env" and not isinstance(value, dict):
        raise must("must be env or a file {path: …, format: …}")
    return None if value == "env" else value


def _contract(value: object) -> object:
    if value is not None and not isinstance(value, dict):
        raise must("must be a map", "a default is written {default: …}")
    return nothing(value)


def _only_env() -> list[SettingsText | None]:
    return [None]


class _Delivered:
    """For editors: `env`, a file, or a list of these."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        file = handler(schema)["items"]["anyOf"][0]
        one = {"anyOf": [{"const": "env"}, file]}
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one}]}


class ServiceText(Shape):
    service: Name
    image: ImageText = Field(default_factory=ImageText)
    processes: dict[Name, ProcessText] = Field(default_factory=dict)
    tasks: dict[Name, TaskText] = Field(default_factory=dict)
    crons: dict[Name, CronText] = Field(default_factory=dict)
    uses: list[str] = Field(default_factory=list)
    config: dict[Key, Annotated[ContractText, BeforeValidator(_contract), Nothing]] = Field(
        default_factory=dict
    )
    deliver: Annotated[
        list[Annotated[SettingsText | None, BeforeValidator(_delivery)]],
        BeforeValidator(_deliveries),
        _Delivered(),
    ] = Field(default_factory=_only_env)
    """None stands for `env`."""
    files: dict[ContainerPath, TemplateText] = Field(default_factory=dict)
