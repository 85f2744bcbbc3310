"""Which file a command speaks of: `--env`, `--service`, `--domain`. And how a value is given: never as an argument."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ecluse.errors import UsageError

if TYPE_CHECKING:
    from ecluse.cli.invocation import Invocation
    from ecluse.wiring.product import OpenProduct

_OPTIONS = (
    click.option("--env", "-e", "environment", metavar="ENV", help="Of one environment; of all, without."),
    click.option("--service", "-s", metavar="SERVICE", help="Of one service."),
    click.option("--domain", metavar="DOMAIN", help="Of the services of one domain."),
)


def scoped(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def opened(invocation: Invocation) -> OpenProduct:
    """The product; and what a killed editor left behind is gone."""
    from ecluse.secrets.private import sweep

    sweep()
    return invocation.open()


def target(product: OpenProduct, environment: str | None, service: str | None, domain: str | None) -> str:
    """The encrypted file of a scope."""
    from ecluse.wiring.secrets import layer_path

    return product.twins.of_layer(layer_path(product, environment, service, domain))


def value_path(key: str) -> tuple[str, ...]:
    """A key of a contract, under `app:`."""
    if "=" in key or not key:
        raise UsageError(
            "a value is never an argument: others see arguments",
            hint="name the key alone; the value is asked for",
        )
    return ("app", key)


def given_value(key: str) -> str:
    """Asked for on a terminal; otherwise standard input, without its last line break."""
    if sys.stdin.isatty():
        text = click.prompt(key, hide_input=True, confirmation_prompt=True, err=True)
        return str(text)
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").removesuffix("\n")
    if not text:
        raise UsageError(
            f"no value for {key} came on standard input", hint="`ecluse secrets unset` removes a key"
        )
    return text
