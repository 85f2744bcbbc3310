"""`ecluse config set` and `unset`: edit the right layer's file in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.commands import options
from ecluse.cli.invocation import Invocation
from ecluse.cli.output import say, show, show_json

if TYPE_CHECKING:
    from ecluse.wiring.editing import Edit
    from ecluse.wiring.questions import Questions


def layer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which layer: an environment's or every environment's, of all services, of a domain's or of one."""
    for option in (
        click.option("--service", "-s", metavar="SERVICE", help="The layer of one service."),
        click.option("--domain", metavar="DOMAIN", help="The layer of a domain."),
        click.option("--env", "-e", "environment", metavar="ENV", help="The layer of one environment."),
    ):
        command = option(command)
    return command


@click.command("set")
@options.key
@click.argument("value", required=False)
@click.option(
    "--null", "is_null", is_flag=True, help="Write null: what less specific layers give is removed."
)
@layer_options
@options.dry_run
@options.as_json
@click.pass_obj
def set_command(
    invocation: Invocation, key: str, value: str | None, *, is_null: bool,
    environment: str | None, domain: str | None, service: str | None, dry_run: bool, json: bool,
) -> None:  # fmt: skip
    """Gives KEY (or a field like run.web.memory) VALUE in one layer, in the file where that layer stands. Comments,
    order and quotes stay. Says which services it touches; nothing is written that would be wrong."""
    from ecluse.config.change import Where
    from ecluse.errors import UsageError
    from ecluse.wiring.editing import propose_value
    from ecluse.wiring.questions import Questions

    if is_null == (value is not None):
        raise UsageError("give a value, or --null", hint='an empty text is ""')
    questions = Questions(invocation.open())
    edit = propose_value(questions, Where(environment, domain, service), key, value)
    finish(questions, edit, dry_run=dry_run, json=json)


@click.command()
@options.key
@layer_options
@options.dry_run
@options.as_json
@click.pass_obj
def unset(
    invocation: Invocation, key: str, *,
    environment: str | None, domain: str | None, service: str | None, dry_run: bool, json: bool,
) -> None:  # fmt: skip
    """Takes KEY out of one layer: what less specific layers give counts again."""
    from ecluse.config.change import Where
    from ecluse.wiring.editing import propose_removal
    from ecluse.wiring.questions import Questions

    questions = Questions(invocation.open())
    edit = propose_removal(questions, Where(environment, domain, service), key)
    finish(questions, edit, dry_run=dry_run, json=json)


def finish(questions: Questions, edit: Edit, *, dry_run: bool, json: bool) -> None:
    """Writes, and says what was written and who is touched."""
    from ecluse.cli.config_view import show_touched, touched_facts
    from ecluse.wiring.editing import write

    is_new = questions.workspace.texts.get(edit.file) != edit.text
    if not dry_run and is_new:
        write(questions, edit)
    if json:
        touched = [touched_facts(one) for one in edit.touched]
        show_json({"file": edit.file, "written": is_new and not dry_run, "touched": touched})
        return
    say(
        f"would write {edit.file}"
        if dry_run
        else f"wrote {edit.file}"
        if is_new
        else f"{edit.file} says so already"
    )
    if edit.touched:
        show_touched(edit.touched)
    else:
        show("no service is touched: a more specific layer has the say, or the value is the same")
