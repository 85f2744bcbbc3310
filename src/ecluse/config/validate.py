"""A document against a shape: what pydantic finds wrong, said in our words at the line where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ecluse.config.document import Document, Path, dotted
from ecluse.config.schema.fields import Shape
from ecluse.errors import Problem, nearest

S = TypeVar("S", bound=Shape)

_MESSAGES = {
    "missing": "must be given",
    "string_type": "must be text",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a map",
    "model_type": "must be a map",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def fit(
    document: Document, shape: type[S], *, context: Mapping[str, Any] | None = None
) -> tuple[S | None, tuple[Problem, ...]]:
    """The document as a `shape`, or None and what is wrong. Problems of its own are kept."""
    if document.value is None and document.problems:
        return None, document.problems
    try:
        return shape.model_validate(document.value, context=context), document.problems
    except ValidationError as error:
        problems = tuple(explained(error, document, shape))
        return None, document.problems + problems


def explained(error: ValidationError, document: Document, shape: type[BaseModel]) -> Iterator[Problem]:
    unread = {problem.key for problem in document.problems}
    for detail in error.errors(include_url=False, include_input=False):
        path = _written_path(detail, document)
        message, hint = told(detail, shape)
        if detail["type"] == "missing":
            message, path = f"{path[-1]} must be given", path[:-1]
        if dotted(path) not in unread or _value(document.value, path) is not None:
            yield document.problem(path, message, hint or _advice(detail, document, path))


def told(detail: ErrorDetails, shape: type[BaseModel]) -> tuple[str, str | None]:
    """Message and hint of one finding; never its input, which may be a secret put in the wrong place."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "ecluse":
        return context["message"], context["hint"]
    if kind == "extra_forbidden":
        return "unknown key", nearest(str(detail["loc"][-1]), _known(shape, detail["loc"][:-1]))
    if kind == "literal_error":
        return "must be one of " + str(context["expected"]).replace("'", "").replace(" or ", ", "), None
    return _MESSAGES.get(kind, detail["msg"].lower()).format(**context), None


def _advice(detail: ErrorDetails, document: Document, path: Path) -> str | None:
    """What to write instead of a value of the wrong type."""
    value = _value(document.value, path)
    if detail["type"] == "string_type" and isinstance(value, int | float):
        return "quote it"
    if detail["type"] == "bool_type" and isinstance(value, str):
        return "remove the quotes" if value in ("true", "false") else "yes, no, on and off are texts"
    if detail["type"] == "int_type" and isinstance(value, str) and value.isdecimal():
        return "remove the quotes"
    if path[:1] in (("processes",), ("crons",)) and isinstance(value, str) and "${" in value:
        return "references stand in layers: write it there, under `run:`"
    return None


def _written_path(detail: ErrorDetails, document: Document) -> Path:
    """Where the finding stands in the file: one thing may be written in the place of a list of them."""
    path: Path = ()
    for part in detail["loc"]:
        if part != "[key]" and not (part == 0 and not isinstance(_value(document.value, path), list)):
            path = (*path, part)
    return path


def _value(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return None
    return value


def _known(shape: Any, path: Path) -> list[str]:
    for part in path:
        shape = _inner(shape, part)
    found = next(_shapes(shape), None)
    return sorted(found.model_fields) if found else []


def _inner(annotation: Any, part: str | int) -> Any:
    """The annotation of what stands at `part` inside of a value of `annotation`."""
    for shape in _shapes(annotation):
        if part in shape.model_fields:
            return shape.model_fields[str(part)].annotation
        return _extra(shape)
    if get_origin(annotation) in (dict, list):
        return get_args(annotation)[-1]
    for argument in get_args(annotation):
        if inner := _inner(argument, part):
            return inner
    return None


def _extra(shape: type[BaseModel]) -> Any:
    """What a shape with free keys says of them."""
    free = "__pydantic_extra__" in shape.__annotations__
    return get_args(get_type_hints(shape)["__pydantic_extra__"])[-1] if free else None


def _shapes(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not dict and get_origin(annotation) is not list:
        for argument in get_args(annotation):
            yield from _shapes(argument)
