"""`ecluse secrets edit | set | unset | show`: the values of one encrypted file."""

from __future__ import annotations

import click

from ecluse.cli.commands import options
from ecluse.cli.commands.secrets.scope import given_value, opened, scoped, target, value_path
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show, show_json


@click.command("set")
@click.argument("key")
@scoped
@click.pass_obj
def set_value(
    invocation: Invocation, key: str, *, environment: str | None, service: str | None, domain: str | None
) -> None:
    """Seals the value of KEY, which is asked for or read from standard input."""
    from ecluse.wiring.secrets import refuse_stray

    product = opened(invocation)
    path = value_path(key)
    file = target(product, environment, service, domain)
    refuse_stray(product, service, key)
    if not product.twins.exists(file):
        product.twins.required_rule(file)
    changed = product.twins.change(file, {path: given_value(key)})
    say(f"{file}: {key} {'is sealed' if changed else 'says so already'}")


@click.command()
@click.argument("key")
@scoped
@click.pass_obj
def unset(
    invocation: Invocation, key: str, *, environment: str | None, service: str | None, domain: str | None
) -> None:
    """Removes KEY from an encrypted file."""
    from ecluse.errors import NotFound, nearest

    product = opened(invocation)
    file = target(product, environment, service, domain)
    path = value_path(key)
    below = path[1:] if file.endswith(".env") else path
    names = product.twins.names(file)
    if not any(name[: len(below)] == below for name in names):
        raise NotFound(f"{file} has no {key}", hint=nearest(key, [str(name[-1]) for name in names]))
    product.twins.change(file, {path: None})
    say(f"{file}: {key} is removed")


@click.command()
@scoped
@click.pass_obj
def edit(invocation: Invocation, *, environment: str | None, service: str | None, domain: str | None) -> None:
    """Opens an encrypted file in the editor (SOPS_EDITOR, VISUAL, EDITOR) and seals what it leaves.

    The plain text is in a private file in memory while the editor runs, and gone afterwards, whatever happens.
    """
    from ecluse.errors import Cancelled
    from ecluse.secrets.editing import edit as edit_file
    from ecluse.secrets.private import Ended

    product = opened(invocation)
    file = target(product, environment, service, domain)
    try:
        edited = edit_file(product.twins, file)
    except Ended as ended:
        raise Cancelled(f"stopped by signal {ended.number}: nothing was changed") from None
    if edited.is_nothing:
        say(f"{file}: no value changed")
    for what, names in (("new", edited.added), ("changed", edited.changed), ("removed", edited.removed)):
        for name in names:
            say(f"{file}: {name} is {what}")


@click.command("show")
@scoped
@click.option("--values", is_flag=True, help="Also the values; asks first.")
@options.yes
@options.as_json
@click.pass_obj
def show_values(
    invocation: Invocation, *, environment: str | None, service: str | None, domain: str | None,
    values: bool, yes: bool, json: bool,
) -> None:  # fmt: skip
    """Lists the names in an encrypted file, and who can read it."""
    from ecluse.cli.commands.consent import ask
    from ecluse.secrets.files import written
    from ecluse.secrets.sops.tree import leaves
    from ecluse.wiring.readable import named

    product = opened(invocation)
    file = target(product, environment, service, domain)
    recipients = product.twins.closed(file).metadata.recipients
    names = [".".join(map(str, path)) for path in product.twins.names(file)]
    found: dict[str, str | None] = dict.fromkeys(names)
    if values:
        ask(f"show the {len(names)} values of {file} in plain?", yes=yes)
        for branch in product.twins.read(file).branches:
            found |= {
                ".".join(map(str, path)): None if leaf is None else written(leaf)
                for path, leaf in leaves(branch)
            }
    if json:
        show_json({"file": file, "recipients": recipients, "values": found if values else names})
        return
    for name in names:
        show(f"{name}: {found[name]}" if values else name)
    say(f"{file} can be read by {', '.join(named(product.outline.holders, recipients))}")
