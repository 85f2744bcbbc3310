"""What Jinja2 templates make of a service's values, sandboxed and bounded. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, meta
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ecluse.errors import Location, Problem, nearest

MAX_CHARACTERS = 1_048_576
MAX_LOOPS = 100_000
MAX_PRODUCT = 100_000
_UNDEFINED = re.compile(r"'([A-Za-z_]\w*)' is undefined")


class ToldElsewhere(Exception):
    """A template reads a value whose problem is among the problems already."""


class Unreferable(Exception):
    """A reference in a template that leads nowhere: message and hint."""

    def __init__(self, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Unrendered(Exception):
    """A template that makes no file; `problem` says why, at its line."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def template_names(text: str) -> frozenset[str]:
    """The names that a template reads; none when its syntax is wrong."""
    try:
        return frozenset(meta.find_undeclared_variables(_environment().parse(text)))
    except (TemplateSyntaxError, RecursionError):
        return frozenset()


def template_text(
    text: str, file: str, variables: Mapping[str, Any], *, is_secret: Callable[[], bool]
) -> str:
    """What a template makes of `variables`; Unrendered with the line of the template that is wrong.

    is_secret: whether a secret went in so far. Jinja's own words are then kept back: they may repeat a value.
    """
    try:
        template = _environment().from_string(text)
        return _collected(template.generate(range=_Loops(), **variables))
    except TemplateSyntaxError as error:
        message = f"is not a template: {error.message}"
        raise Unrendered(Problem(Location(file, error.lineno), "", message)) from None
    except ToldElsewhere:
        raise
    except Exception as error:
        message, hint = _reason(error, variables, is_secret=is_secret())
        raise Unrendered(Problem(Location(file, _line(error)), "", message, hint)) from None


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
            sizes = [
                side if isinstance(side, int) else len(side)
                for side in (left, right)
                if not isinstance(side, float)
            ]
            if operator == "**" or (len(sizes) == 2 and sizes[0] * sizes[1] > MAX_PRODUCT):
                raise OverflowError
        return super().call_binop(context, operator, left, right)


class _Loops:
    """`range` with one budget for all loops of a rendering."""

    def __init__(self) -> None:
        self.left = MAX_LOOPS

    def __call__(self, *bounds: int) -> range:
        result = range(*bounds)
        self.left -= max(1, len(result))
        if self.left < 0:
            raise OverflowError
        return result


@lru_cache(maxsize=1)
def _environment() -> _Sandbox:
    return _Sandbox(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False, finalize=_finalize
    )


def _finalize(value: Any) -> Any:
    if value is None:
        raise _NoValue
    return "true" if value is True else "false" if value is False else value


class _NoValue(Exception):
    pass


def _collected(chunks: Iterator[str]) -> str:
    result, size = [], 0
    for chunk in chunks:
        result.append(chunk)
        size += len(chunk)
        if size > MAX_CHARACTERS:
            raise OverflowError
    return "".join(result)


def _reason(error: Exception, variables: Mapping[str, Any], *, is_secret: bool) -> tuple[str, str | None]:
    match error:
        case Unreferable():
            return error.message, error.hint
        case _NoValue():
            return "writes out a key that has no value", "ask `{% if KEY %}` first, or make the key required"
        case OverflowError() | MemoryError() | RecursionError():
            return "grows too large", f"a file has at most {MAX_CHARACTERS} characters and {MAX_LOOPS} loops"
        case UndefinedError():
            # Jinja names what is missing, and inside of a secret structure that may be a part of it
            found = _UNDEFINED.match(str(error))
            if found and (not is_secret or found[1] not in variables):
                known = [name for name in variables if not name.startswith("_")]
                return f"{found[1]} is not defined", nearest(found[1], known)
        case SecurityError():
            return "does what templates may not do", None
    kind = type(error).__name__
    return (f"cannot be rendered ({kind})" if is_secret else f"cannot be rendered: {error}"), None


def _line(error: Exception) -> int:
    """The line of the template in the traceback, which Jinja rewrites to template lines."""
    line, frame = 0, error.__traceback__
    while frame:
        if frame.tb_frame.f_code.co_filename == "<template>":
            line = frame.tb_lineno
        frame = frame.tb_next
    return line
