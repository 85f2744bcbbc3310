"""The kinds of fields that the files are made of. Each says what it must be, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, WrapValidator
from pydantic_core import PydanticCustomError

from ecluse.config.quantity import parse_cpu, parse_duration, parse_share, parse_size
from ecluse.model.names import key_problem, name_problem

REFERENCES = {"references": True}
"""Validation context of layer files: a value may be a `${…}` that is resolved later."""

_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_MODE = re.compile(r"0?[0-7]{3}")
_OWNER = re.compile(r"[a-z0-9_][a-z0-9_-]*(?::[a-z0-9_][a-z0-9_-]*)?")
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


Referable = WrapValidator(_referable)

Name = Annotated[str, _checked(name_problem)]
Key = Annotated[str, _checked(key_problem)]
Cpu = Annotated[int, _parsed(parse_cpu), Referable]
Memory = Annotated[int, _parsed(parse_size), Referable]
Size = Annotated[int, _parsed(parse_size)]
Duration = Annotated[float, _parsed(parse_duration), Referable]
Share = Annotated[float, _parsed(parse_share), Referable]
Command = Annotated[list[str], BeforeValidator(_command)]
Host = Annotated[str, _matching(_HOST, "must be a host name"), Referable]
Mode = Annotated[str, _matching(_MODE, 'must be a mode like "0440"'), BeforeValidator(_mode)]
Owner = Annotated[str, _matching(_OWNER, "must be user or user:group")]
Registry = Annotated[
    str, _matching(_REGISTRY, "must be a registry like registry.example.fr/team", "leave out https://")
]
Schedule = Annotated[str, _checked(_schedule_problem, 'for instance "0 6 * * 1-5"'), Referable]
Zone = Annotated[str, _checked(_zone_problem, "for instance Europe/Paris"), Referable]
Reason = Annotated[str, _checked(_reason_problem)]
RelativePath = Annotated[str, _checked(_relative_problem)]
ContainerPath = Annotated[str, _checked(_container_path_problem)]
ProbePath = Annotated[str, _checked(_probe_path_problem), Referable]
Version = Annotated[str, BeforeValidator(_version)]
FormatName = Literal["env", "json", "yaml", "properties", "ini", "xml"]
Section = Annotated[str, _matching(_SECTION, "must be letters, digits, dots, dashes and blanks")]
