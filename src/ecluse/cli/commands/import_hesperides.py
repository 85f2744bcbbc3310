"""`ecluse import hesperides`: an application of a Hesperides, from its server or from a saved dump."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation

if TYPE_CHECKING:
    from ecluse.wiring.import_hesperides import Verified


@click.command()
@click.option("--url", metavar="URL", help="The server.")
@click.option("--user", metavar="NAME", help="The account; its password is asked, or HESPERIDES_PASSWORD.")
@click.option("--application", metavar="NAME", help="The application.")
@click.option(
    "--dump", type=click.Path(path_type=Path), metavar="FILE", help="A saved dump, or a folder of them."
)
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Only save a dump, mode 600.")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="PLATFORM[=ENV]",
    help="Only this one, as environment ENV.",
)
@click.option("--prefix", default="", metavar="NAME", help="What the names of services begin with.")
@click.option("--verify", is_flag=True, help="Compare every generated file with ours, byte for byte.")
@options.import_secret
@options.import_plain
@options.overwrite
@options.dry_run
@options.as_json
@click.pass_obj
def hesperides(
    invocation: Invocation, *, url: str | None, user: str | None, application: str | None, dump: Path | None,
    save: Path | None, platforms: tuple[str, ...], prefix: str, verify: bool, secret: tuple[str, ...],
    plain: tuple[str, ...], overwrite: bool, dry_run: bool, json: bool,
) -> int:  # fmt: skip
    """Takes an application over from Hesperides: its platforms, modules, technos, templates and values.

    Each platform becomes an environment, each module a service, each template one of ours; every file comes
    out the same. Passwords are encrypted; masked ones are refused.

    \b
    ecluse import hesperides --url https://hesperides.example.fr --user me --application SHOP --verify
    """
    from ecluse.cli.import_view import show_import
    from ecluse.cli.output import say, show_json
    from ecluse.errors import UsageError
    from ecluse.wiring import import_hesperides as work

    if dump:
        documents = work.read_documents(dump)
    elif url and application:
        client = _client(url, user)
        words = [word.partition("=")[0] for word in platforms]
        documents = work.fetch_documents(client, application, words, with_files=bool(verify or save))
    else:
        raise UsageError("from where?", hint="give --url and --application, or --dump FILE")
    if save:
        work.save(documents, save)
        say(f"{save} holds passwords in plain: remove it when you are done")
        return 0
    code = 0
    for document in documents:
        product = invocation.open()
        imported, conversion, found = work.import_dump(
            product,
            document,
            str(dump or url),
            platforms=platforms,
            prefix=prefix,
            secret=secret,
            plain=plain,
            overwrite=overwrite,
            dry_run=dry_run,
        )
        if not json:
            show_import(imported, dry_run=dry_run, json=False)
        verified = work.verify(invocation.open(), conversion, found) if verify and not dry_run else []
        if json:
            show_json({**_facts(imported, dry_run=dry_run), "verified": verified})
        code = max(code, _show_verified(verified, json=json))
    return code


def _client(url: str, user: str | None) -> Any:
    from ecluse.errors import UsageError
    from ecluse.importers.hesperides.client import Client
    from ecluse.model.secret import Secret

    if not user:
        raise UsageError("--user: with which account?", hint="one with the production role sees passwords")
    password = os.environ.get("HESPERIDES_PASSWORD") or click.prompt(
        f"Password of {user}", hide_input=True, err=True
    )
    return Client(url, user, Secret(password))


def _facts(imported: Any, *, dry_run: bool) -> dict[str, object]:
    return {"files": imported.files, "report": imported.report, "written": not dry_run}


def _show_verified(verified: list[Verified], *, json: bool) -> int:
    """Every file with its verdict; 1 when one is not equal."""
    from ecluse.cli.output import say, show

    for one in verified if not json else []:
        show(f"{'differs' if one.difference else 'equal'}  {one.file}{_because(one.difference)}")
    wrong = sum(one.difference is not None for one in verified)
    if verified:
        say(f"{len(verified) - wrong} of {len(verified)} files are equal, byte for byte")
    return 1 if wrong else 0


def _because(difference: str | None) -> str:
    return f": {difference}" if difference else ""
