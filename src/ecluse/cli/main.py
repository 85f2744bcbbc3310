"""The command table, and the one place where an error becomes text and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import click

from ecluse import __version__
from ecluse.cli.commands import (
    adopt,
    backup,
    backups,
    build,
    cancel,
    check,
    config,
    crons,
    debug,
    deploy,
    doctor,
    down,
    execute,
    history,
    imports,
    init,
    logs,
    plan,
    promote,
    quarantine,
    releases,
    restore,
    rollback,
    rotate,
    run,
    runner,
    secrets,
    status,
    trust,
    why,
)
from ecluse.cli.invocation import Invocation
from ecluse.errors import ConfigInvalid, EcluseError, Problem

EXIT_CODES = """\b
Exit codes:
  0  done                          7  a secret cannot be read
  1  failed, no kind of its own    8  a build or its tests failed
  2  the command was misused       9  the engine is out of reach or refuses
  3  the configuration is wrong   10  failed; what was there runs again
  4  not found                    11  failed, and not everything was restored
  5  refused by a guard or gate   12  cancelled
  6  somebody else is at it       13  a wait took too long
                                  14  the record cannot be used now
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C", "directory", type=click.Path(path_type=Path), default=Path(), metavar="DIR",
    help="The product's folder (here, by default).",
)  # fmt: skip
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(__version__, prog_name="ecluse")
@click.pass_context
def cli(context: click.Context, directory: Path, debug: bool) -> None:  # noqa: FBT001  # click passes it
    """Brings services from source to production: the same image, one gate at a time."""
    context.obj = Invocation(directory, debug=debug)


for command in (
    init.init, doctor.doctor, check.check, config.config, build.build, releases.releases, plan.plan, deploy.deploy,
    status.status, logs.logs, run.run, crons.crons, execute.execute, debug.debug, history.history, rollback.rollback,
    promote.promote, down.down, cancel.cancel, runner.runner, secrets.secrets, trust.trust, adopt.adopt,
    backup.backup, backups.backups, restore.restore, rotate.rotate, why.why, quarantine.quarantine,
    imports.imports,
):  # fmt: skip
    cli.add_command(command)


def main() -> None:
    """The entry point of the `ecluse` command."""
    # what a command reads stays until it ends: looking through it again and again for garbage finds none
    gc.set_threshold(100_000, 20, 20)
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Runs the command line; gives its exit code. Nothing but an exit code leaves."""
    try:
        outcome = cli.main(arguments, prog_name="ecluse", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped: nothing was changed", err=True)
        return 12
    except click.ClickException as error:
        error.show()
        return 2
    except EcluseError as error:
        return _report(error, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--debug" in arguments:
            raise
        click.echo(f"error: internal error: {type(error).__name__}", err=True)
        click.echo("hint: run again with --debug right after `ecluse`, and report what it shows", err=True)
        return 1
    return outcome if isinstance(outcome, int) else 0


def _report(error: EcluseError, arguments: list[str]) -> int:
    if "--debug" in arguments:
        import traceback

        traceback.print_exception(error)
    problems = error.problems if isinstance(error, ConfigInvalid) else ()
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo(f"error: {_count(problems) if problems else error.message}", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)
    return error.exit_code


def _count(problems: tuple[Problem, ...]) -> str:
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"


if __name__ == "__main__":
    main()
