"""`ecluse secrets init | rotate | recipients | verify`: keys, and who may read what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.commands import options
from ecluse.cli.commands.secrets.scope import opened
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show, show_json, table

if TYPE_CHECKING:
    from ecluse.wiring.product import OpenProduct

_environment = click.option(
    "--env", "-e", "environment", metavar="ENV", help="Of one environment; of what all share, without."
)


@click.command()
@click.option(
    "--recipient", metavar="AGE1…", help="A public key, instead of that of the key that is found here."
)
@click.pass_obj
def init(invocation: Invocation, *, recipient: str | None) -> None:
    """Makes what secrets in git need: a key, the rules in .sops.yaml, git's merge driver. Run it once in each clone."""
    from ecluse.secrets.custody import require_recipient
    from ecluse.secrets.setup import set_up

    product = opened(invocation)
    if recipient:
        require_recipient(recipient)
    names = list(product.product.environments)
    made = set_up(product.twins, names, recipient=recipient, holder=invocation.settings.user)
    for line in made.done:
        say(line)
    if not made.done:
        say("everything is there")
    show(made.recipient)


@click.command()
@_environment
@click.option("--all", "everything", is_flag=True, help="Every encrypted file.")
@click.pass_obj
def rotate(invocation: Invocation, *, environment: str | None, everything: bool) -> None:
    """Seals files under a new data key, for the recipients of their rules. The values stay what they are."""
    from ecluse.errors import UsageError
    from ecluse.secrets import custody

    product = opened(invocation)
    if not environment and not everything:
        raise UsageError("which files?", hint="name --env ENV, or --all")
    folder = f"config/environments/{product.environment(environment).name}/" if environment else ""
    names = [file for file in product.twins.all() if file.startswith(folder)]
    for file in custody.rotate(product.twins, names).files:
        say(f"{file}: sealed under a new key")


@click.command()
@options.as_json
@click.pass_obj
def verify(invocation: Invocation, *, json: bool) -> None:
    """Opens every encrypted file that can be opened here, and holds each against its rule."""
    from ecluse.errors import ConfigInvalid, Location, Problem
    from ecluse.secrets import custody

    product = opened(invocation)
    found = list(custody.verify(product.twins, product.twins.all()))
    if json:
        show_json(found)
    else:
        table(["file", "state", "readers"], [(one.file, one.state, len(one.recipients)) for one in found])
    wrong = [Problem(Location(one.file), "", one.state) for one in found if one.is_wrong]
    if wrong:
        raise ConfigInvalid(wrong)


@click.group()
def recipients() -> None:
    """Who may read the encrypted files of an environment."""


@recipients.command("list")
@options.as_json
@click.pass_obj
def list_recipients(invocation: Invocation, *, json: bool) -> None:
    """Lists who may read what, by the rules of .sops.yaml."""
    from ecluse.secrets.custody import probe
    from ecluse.wiring.readable import named

    product = opened(invocation)
    scopes = [*map(str, product.product.environments), None]
    rules = {scope or "(shared)": product.twins.rule(probe(scope)) for scope in scopes}
    readers = {scope: list(rule.age) + list(rule.others) if rule else [] for scope, rule in rules.items()}
    if json:
        show_json(readers)
        return
    rows = [(scope, one) for scope, names in readers.items() for one in named(product.product.holders, names)]
    table(["environment", "reader"], rows)


@recipients.command()
@click.argument("recipient")
@_environment
@click.option("--name", metavar="NAME", help="Whose key it is, for those who read .sops.yaml.")
@click.pass_obj
def add(invocation: Invocation, recipient: str, *, environment: str | None, name: str | None) -> None:
    """Lets RECIPIENT read the files of ENV, and of no other environment."""
    from ecluse.secrets import custody

    product = opened(invocation)
    here, others = _environments(product, environment)
    changed = custody.add(product.twins, here, recipient, name, others)
    for file in changed.files:
        say(f"{file}: can be read by {name or recipient}")
    say(
        f"{name or recipient} may read what is encrypted for {here or 'all environments together'} from now on"
    )


@recipients.command()
@click.argument("recipient")
@_environment
@click.pass_obj
def remove(invocation: Invocation, recipient: str, *, environment: str | None) -> None:
    """Seals the files of ENV anew without RECIPIENT, and lists what he has read: that must change at its source."""
    from ecluse.secrets import custody

    product = opened(invocation)
    here, others = _environments(product, environment)
    changed = custody.remove(product.twins, here, recipient, others)
    for file in changed.files:
        say(f"{file}: sealed under a new key, without {recipient}")
    if changed.exposed:
        say("he may have kept what he could read, and git keeps it for him: change these at their source,")
        say("then give the new value with `ecluse secrets set`:")
    for line in changed.exposed:
        show(line)


def _environments(product: OpenProduct, environment: str | None) -> tuple[str | None, list[str]]:
    """The environment that is meant, and the others."""
    known = [str(name) for name in product.product.environments]
    here = str(product.environment(environment).name) if environment else None
    return here, [name for name in known if name != here]
