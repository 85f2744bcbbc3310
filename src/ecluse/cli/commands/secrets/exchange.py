"""`ecluse secrets propose | accept | merge`: values between people, and between branches."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.commands import options
from ecluse.cli.commands.secrets.scope import given_value, opened, scoped, target, value_path
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, table


@click.command()
@click.argument("key")
@scoped
@click.pass_obj
def propose(
    invocation: Invocation, key: str, *, environment: str | None, service: str | None, domain: str | None
) -> None:
    """Seals a value of KEY for a file that you cannot read. One who can accepts it."""
    from ecluse.secrets import proposals
    from ecluse.wiring.secrets import refuse_stray

    product = opened(invocation)
    path = value_path(key)
    refuse_stray(product, service, key)
    file = target(product, environment, service, domain)
    below = path[1:] if file.endswith(".env") else path
    made = proposals.propose(product.twins, file, below, given_value(key), by=invocation.settings.user)
    say(f"{made.file}: commit it; one who reads {file} says `ecluse secrets accept {made.name}`")


@click.command()
@click.argument("name", required=False)
@click.option("--reject", is_flag=True, help="Remove it instead.")
@options.yes
@click.pass_obj
def accept(invocation: Invocation, name: str | None, *, reject: bool, yes: bool) -> None:
    """Puts a proposed value into its file. Without NAME, lists what is proposed."""
    from ecluse.cli.commands.consent import ask
    from ecluse.secrets import proposals

    product = opened(invocation)
    if name is None:
        rows = [
            (one.name, one.target, ", ".join(str(path[-1]) for path in one.paths), one.by)
            for one in proposals.waiting(product.twins)
        ]
        table(["proposal", "file", "keys", "by"], rows)
        return
    proposal = proposals.find(product.twins, name)
    if reject:
        proposals.reject(product.twins, proposal)
        say(f"{proposal.file} is removed")
        return
    replaced = proposals.replaced(product.twins, proposal)
    doubts = tuple(f"{one} is there already and would be replaced" for one in replaced)
    ask(f"put what {proposal.by or 'somebody'} proposes into {proposal.target}?", yes=yes, doubts=doubts)
    proposals.accept(product.twins, proposal)
    say(f"{proposal.target}: {', '.join(str(path[-1]) for path in proposal.paths)} is sealed")


@click.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
@click.argument("name")
@click.pass_obj
def merge(invocation: Invocation, base: Path, ours: Path, theirs: Path, name: str) -> int:
    """Git's merge driver for encrypted files (%O %A %B %P): changes of different keys go together."""
    import subprocess

    from ecluse.errors import EcluseError
    from ecluse.secrets.twins import TwinFiles
    from ecluse.wiring.secrets import merge_files

    twins = TwinFiles(invocation.directory.absolute())
    try:
        conflicts = merge_files(twins, str(base), str(ours), str(theirs), name)
    except EcluseError as error:
        conflicts = [f"({error.message}; {error.hint})" if error.hint else f"({error.message})"]
    if not conflicts:
        return 0
    for one in conflicts:
        say(f"{name}: both sides changed {one}" if not one.startswith("(") else f"{name}: {one[1:-1]}")
    # as without a driver: git shows both sides in the file
    subprocess.run(["git", "merge-file", str(ours), str(base), str(theirs)], check=False)
    return 1
