"""The command, each time in a process of its own that a waiting interpreter forks: its modules are loaded once.

`python ready.py` is that interpreter. It reads what to run from standard input, a line of JSON each, and answers
with the exit code. It has no threads and runs no command itself, so each begins as a new interpreter does.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

MODULES = ("cli.main", "config.check", "config.load", "secrets.custody", "secrets.editing", "secrets.merging",
           "secrets.private", "secrets.proposals", "secrets.setup", "secrets.twins", "wiring.product", "wiring.secrets",
           "wiring.state")  # fmt: skip
SECONDS = 120
"""Longer than any command needs."""


def run(
    words: Sequence[str], *, given: str, environ: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory() as place:
        (Path(place) / "in").write_text(given, "utf-8")
        asked = {"words": list(words), "environ": dict(environ), "folder": str(folder), "place": place}
        waiting = _waiting()
        assert waiting.stdin
        assert waiting.stdout
        waiting.stdin.write(json.dumps(asked) + "\n")
        waiting.stdin.flush()
        code = int(waiting.stdout.readline())
        said = ((Path(place) / name).read_text("utf-8") for name in ("out", "err"))
        return subprocess.CompletedProcess(list(words), code, *said)


@cache
def _waiting() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.communicate)
    return process


def serve() -> None:
    import importlib

    for name in MODULES:
        importlib.import_module(f"ecluse.{name}")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(asked: Mapping[str, object]) -> NoReturn:
    """This process is the command now."""
    from ecluse.cli.main import main

    code = 70
    signal.alarm(SECONDS)
    try:
        for number, name, flags in (
            (0, "in", os.O_RDONLY),
            (1, "out", os.O_WRONLY | os.O_CREAT),
            (2, "err", os.O_WRONLY | os.O_CREAT),
        ):
            os.dup2(os.open(f"{asked['place']}/{name}", flags, 0o600), number)
        sys.stdin, sys.stdout, sys.stderr = (
            io.TextIOWrapper(open(number, mode, closefd=False), encoding="utf-8")  # noqa: SIM115
            for number, mode in ((0, "rb"), (1, "wb"), (2, "wb"))
        )
        os.environ.clear()
        os.environ.update(asked["environ"])  # type: ignore[call-overload]
        os.chdir(str(asked["folder"]))
        sys.argv = ["ecluse", *asked["words"]]  # type: ignore[misc]
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
