"""The kinds of fields that the files are made of. Each says what it must be, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ecluse.config.quantity import parse_cpu, parse_duration, parse_share, parse_size
from ecluse.model.names import key_problem, name_problem

REFERABLE = "x-referable"
"""Marks, in a JSON Schema, what may be a reference in a layer."""
REFERENCES = {"references": True}
"""Validation context of layer files: a value may be a `${…}` that is resolved later."""

_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_MODE = re.compile(r"0?[0-7]{3}")
_OWNER = re.compile(r"[a-z0-9_][a-z0-9_-]*(?::[a-z0-9_][a-z0-9_-]*)?")
_RECIPIENT = re.compile(r"age1[0-9a-z]+|ssh-(?:ed25519|rsa) .+")
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?(?:/[a-z0-9._-]+)*")
_CRON_FIELD = r"(?:\*|(?:\d{1,2}|[A-Za-z]{3})(?:-(?:\d{1,2}|[A-Za-z]{3}))?)(?:/\d{1,2})?"
_CRON = re.compile(
    rf"{_CRON_FIELD}(?:,{_CRON_FIELD}){{0,30}}(?: +{_CRON_FIELD}(?:,{_CRON_FIELD}){{0,30}}){{4}}"
)
_SECTION = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_. -]*[A-Za-z0-9_])?")
_CONTAINER_PATH = re.compile(r"(?:/[A-Za-z0-9._@+-]+)+")


class Shape(BaseModel):
    """A map with known keys only."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True, hide_input_in_errors=True)


def must(message: str, hint: str | None = None) -> PydanticCustomError:
    """An error in our words; `hint` says what to write instead."""
    return PydanticCustomError("ecluse", "{message}", {"message": message, "hint": hint})


def _parsed(parse: Callable[[object], Any]) -> BeforeValidator:
    def validate(value: object) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            raise must(str(error)) from None

    return BeforeValidator(validate)


def _referable(value: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
    is_reference = isinstance(value, str) and "${" in value
    return value if is_reference and info.context is REFERENCES else handler(value)


def _checked(problem: Callable[[str], str | None], hint: str | None = None) -> AfterValidator:
    def validate(text: str) -> str:
        if message := problem(text):
            raise must(message, hint)
        return text

    return AfterValidator(validate)


def _matching(pattern: re.Pattern[str], message: str, hint: str | None = None) -> AfterValidator:
    return _checked(lambda text: None if pattern.fullmatch(text) else message, hint)


def nothing(value: object) -> object:
    """A key without a value is an empty map."""
    return {} if value is None else value


def _command(value: object) -> object:
    if isinstance(value, str):
        words = ", ".join(value.split()) if re.fullmatch(r"[\w./:= -]*", value) else f'sh, -c, "{value}"'
        raise must("must be a list of texts", f"write [{words}]")
    if value == []:
        raise must("must name a program")
    return value


def _mode(value: object) -> object:
    if not isinstance(value, str):
        raise must('must be a quoted mode like "0440"', "quote it, with the leading zero")
    return value


def _schedule_problem(text: str) -> str | None:
    # only who has a schedule waits for it to be loaded
    from croniter import CroniterBadDateError, croniter

    if not (_CRON.fullmatch(text) and croniter.is_valid(text)):
        return "must be a schedule of five fields (minute hour day month weekday)"
    try:
        croniter(text).get_next()
    except CroniterBadDateError:
        return "names a day that never comes"
    return None


def _zone_problem(text: str) -> str | None:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return "must be a time zone of the IANA list"
    return None


def _reason_problem(text: str) -> str | None:
    return None if text.strip() else "must say why"


def _relative_problem(text: str) -> str | None:
    parts = text.split("/")
    inside = text and not text.startswith("/") and ".." not in parts and "\\" not in text
    return None if inside else "must be a path inside the folder"


def _container_path_problem(text: str) -> str | None:
    if ".." in text.split("/") or "." in text.split("/"):
        return "must be a path without . and .."
    return None if _CONTAINER_PATH.fullmatch(text) else "must be an absolute path in the container"


def _version(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _probe_path_problem(text: str) -> str | None:
    return None if re.fullmatch(r"/[^\s#]*", text) else "must be a path that begins with /"


class _Referable:
    """In a layer, the value may also be a reference."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(_referable, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), REFERABLE: True}


class _Nothing:
    """Where a map may be left empty: `key:` without a value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(nothing, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "null"}]}


def _written(pattern: str, *examples: str) -> WithJsonSchema:
    """How a text is written, for editors."""
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$", "examples": list(examples)})


Referable = _Referable()
Nothing = _Nothing()
_CORES = WithJsonSchema({"anyOf": [
    {"type": "string", "pattern": "^([0-9]+m|[0-9]+(\\.[0-9]+)?)$", "examples": ["100m"]}, {"type": "number"},
]})  # fmt: skip
_BYTES = _written("[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)", "128Mi", "1Gi")
_SECONDS = _written("(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\\.[0-9]+)?s)?([0-9]+ms)?", "30s", "5m")
_PART = WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,2}%$", "examples": ["10%"]})
_NAMED = _written("[a-z]([a-z0-9-]*[a-z0-9])?", "invoicing")
_KEYED = _written("[A-Z][A-Z0-9_]*", "SMTP_HOST")
_HOSTED = _written("[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", "invoicing")
_VERSIONED = WithJsonSchema({"type": ["string", "integer"], "examples": ["10.11"]})
_CRONTAB = _written(r"\S+( +\S+){4}", "0 6 * * 1-5")

Name = Annotated[str, _checked(name_problem), _NAMED]
Key = Annotated[str, _checked(key_problem), _KEYED]
Cpu = Annotated[int, _parsed(parse_cpu), _CORES, Referable]
Memory = Annotated[int, _parsed(parse_size), _BYTES, Referable]
Size = Annotated[int, _parsed(parse_size), _BYTES]
Duration = Annotated[float, _parsed(parse_duration), _SECONDS, Referable]
Share = Annotated[float, _parsed(parse_share), _PART, Referable]
Command = Annotated[list[str], BeforeValidator(_command)]
Host = Annotated[str, _matching(_HOST, "must be a host name"), _HOSTED, Referable]
Mode = Annotated[
    str,
    _matching(_MODE, 'must be a mode like "0440"'),
    BeforeValidator(_mode),
    _written("0?[0-7]{3}", "0440"),
]
Owner = Annotated[
    str,
    _matching(_OWNER, "must be user or user:group"),
    _written("[a-z0-9_][a-z0-9_-]*(:[a-z0-9_][a-z0-9_-]*)?", "www-data:www-data"),
]
Registry = Annotated[
    str,
    _matching(_REGISTRY, "must be a registry like registry.example.fr/team", "leave out https://"),
    _written("[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*", "registry.example.fr/comptoir"),
]
Recipient = Annotated[
    str,
    _matching(_RECIPIENT, "must be an age recipient", "age1…, or a public SSH key"),
    _written(
        "age1[0-9a-z]+|ssh-(ed25519|rsa) .+", "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
    ),
]
Schedule = Annotated[str, _checked(_schedule_problem, 'for instance "0 6 * * 1-5"'), _CRONTAB, Referable]
Zone = Annotated[
    str,
    _checked(_zone_problem, "for instance Europe/Paris"),
    _written(r"[A-Za-z0-9_+/-]+", "Europe/Paris"),
    Referable,
]
Reason = Annotated[str, _checked(_reason_problem), _written(r"(.|\s)*\S(.|\s)*")]
RelativePath = Annotated[str, _checked(_relative_problem), _written(r"(?!/)[^\\]+")]
ContainerPath = Annotated[
    str, _checked(_container_path_problem), _written("(/[A-Za-z0-9._@+-]+)+", "/config/app.ini")
]
ProbePath = Annotated[str, _checked(_probe_path_problem), _written(r"/[^\s#]*", "/health"), Referable]
Version = Annotated[str, BeforeValidator(_version), _VERSIONED]
FormatName = Literal["env", "json", "yaml", "properties", "ini", "xml"]
Section = Annotated[str, _matching(_SECTION, "must be letters, digits, dots, dashes and blanks")]
