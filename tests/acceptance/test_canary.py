"""Two hundred planted secrets, in every place where a secret can be: they appear in nothing that Écluse shows or keeps.

COMMANDS is the table of what is run, and must have every command of the command line: add a line for a new one, with
arguments that make it speak of the service `parrot` of the environment `test`, once as it is and once with `--json`
where it has that. {root} is the product, {secrets} the file with the planted values, {saved} a saved plan, {dotenv} a
.env file with planted values. What a command may end with is not asserted here, only what it says.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from tests.acceptance.installed import Command, docker, remove_images

PRODUCT = "canary"
COUNT = 200
COMMANDS: dict[str, tuple[str, ...]] = {
    "init": ("{root}/fresh --service python",),
    "doctor": ("", "--json"),
    "check": ("test --secrets {secrets}", "test --secrets {secrets} --json", "test --secrets {broken}"),
    "build": ("--quiet --version 1",),
    "releases": ("", "--json"),
    "plan": (
        "test --secrets {secrets}",
        "test --secrets {secrets} --json",
        "test --secrets {broken}",
        "test --secrets {secrets} --out {saved}",
    ),
    "deploy": (
        "test --plan {saved} --yes",
        "test parrot=1 --secrets {changed} --yes --json",
        "test parrot=bad --secrets {changed} --yes",
        "test parrot=bad --secrets {changed} --yes --json --override again",
        "test --secrets {broken} --yes",
        "test --plan {secrets} --yes",
    ),
    "why": ("test", "test --json"),
    "quarantine": ("test", "test --json", "test --lift parrot"),
    "status": ("test", "test --json"),
    "logs": ("test parrot", "test parrot --json", "test parrot --tail 30"),
    "run": ("test parrot boast", "test parrot boast --json", "test parrot squawk"),
    "crons": ("test", "test --json", "test parrot/squawk --logs"),
    "exec": ("test parrot -- true",),
    "debug": ("test parrot -- true",),
    "history": ("test --runs", "test --runs --json"),
    "config show": ("test parrot", "test parrot --json"),
    "config explain": ("test parrot S001", "test parrot S001 --json"),
    "config env": ("test parrot",),
    "config check": ("test --secrets {secrets}", "test --json"),
    "config diff": ("test other", "test other --json"),
    "config history": ("test parrot", "test parrot --json"),
    "config repeated": ("", "--json"),
    "config schema": ("",),
    "config set": ("S001 --service parrot --dry-run", "LEVEL debug --service parrot --dry-run --json"),
    "config unset": ("LEVEL --service parrot --dry-run",),
    "config unused": ("", "--json"),
    "config where": ("S001", "S001 --json"),
    "import env": ("{dotenv} --service parrot --dry-run", "{dotenv} --service parrot --dry-run --json"),
    "import compose": ("{compose} --dry-run", "{compose} --dry-run --json"),
    "import hesperides": ("--dump {dump} --dry-run",),
    "promote": ("test other --yes",),
    "rollback": ("test --yes", "test --yes --json"),
    "adopt": ("test --secrets {secrets} --yes", "test --json"),
    "backup": ("test", "test --json"),
    "backups": ("test", "test --json"),
    "restore": ("test --yes",),
    "secrets init": ("",),
    "secrets set": ("S001 --env test --service parrot",),
    "secrets show": ("--env test", "--env test --json"),
    "secrets edit": ("--env test --service parrot",),
    "secrets unset": ("S001 --env test --service parrot",),
    "secrets propose": ("S001 --env test --service parrot",),
    "secrets accept": ("",),
    "secrets merge": ("{secrets} {changed} {broken} x.sops.yaml",),
    "secrets rotate": ("--env test",),
    "secrets verify": ("", "--json"),
    "secrets recipients list": ("", "--json"),
    "secrets recipients add": ("nobody --env test",),
    "secrets recipients remove": ("nobody --env test",),
    "rotate": ("test --yes", "test --yes --json"),
    "cancel": ("test",),
    "trust": ("", "--print"),
    "down": ("test --yes", "other --yes --json"),
    "runner": ("--stop",),
}


def core(number: int) -> str:
    """What is looked for: it survives every way of writing a value, base64 apart."""
    return f"cnry{number:03d}x{'qzjkvwxbf'[number % 9]}{(number * 7919) % 100000:05d}"


def value(number: int) -> str:
    """The planted values come in the shapes that secrets have."""
    mark = core(number)
    shapes = (
        mark,
        f'{mark} with spaces & "quotes" \\ back',
        f"mysql://user:{mark}%2Fx@db/name",
        f"line one\n{mark}\nline three {mark}",
        f"é{mark}ü",
        f'{{"password": "{mark}"}}',
        f"user=me\npassword={mark}",
        f"<{mark}&>'",
        mark * 4,
        f"{mark}/+==",
    )
    return shapes[number % len(shapes)]


def needles() -> list[bytes]:
    """Each core as it is, and in base64 at each of the three places where it may begin."""
    found = []
    for number in range(1, COUNT + 1):
        raw = core(number).encode()
        found.append(raw)
        for shift in range(3):
            text = base64.b64encode(b"\0" * shift + raw)
            found.append(text[(shift * 4 + 2) // 3 : len(text) - 4])
    return found


PARROT = """\
import base64
import html
import http.server
import json
import os
import sys
import urllib.parse

secrets = [text for key, text in sorted(os.environ.items()) if key[0] == "S" and key[1:].isdigit()]
for text in secrets:
    print("raw", text)
    print("in the middle of", text, "a line", file=sys.stderr)
    print("base64", base64.b64encode(text.encode()).decode())
    print("basic", base64.b64encode(f"user:{text}".encode()).decode())
    print("url", urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text), urllib.parse.quote(text))
    print("json", json.dumps(text), json.dumps(text, ensure_ascii=False))
    print("repr", repr(text))
    print("html", html.escape(text))
    print("hex", text.encode().hex())
    half = len(text) // 2
    sys.stdout.write(text[:half])
    sys.stdout.flush()
    sys.stdout.write(text[half:] + "\\\\n")
sys.stdout.flush()
if len(sys.argv) > 1:
    sys.exit(f"cannot go on with {secrets[0]} and {secrets[7]}")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        bad = "BAD" in os.environ or os.path.exists("/bad")
        body = "".join(secrets).encode() if bad else b"well"
        self.send_response(404 if bad else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""


@dataclass
class Watch:
    """Looks at the arguments of the processes that are ours, as long as it goes on."""

    seen: set[bytes] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit():
                    try:
                        words = (folder / "cmdline").read_bytes()
                    except OSError:
                        continue
                    if b"ecluse" in words or b"docker" in words or b"git" in words or b"sops" in words:
                        self.seen.add(words)


@pytest.fixture(scope="module")
def product(
    docker_engine: None, tmp_path_factory: pytest.TempPathFactory, edge_port: int
) -> Iterator[Command]:
    command = Command(tmp_path_factory.mktemp("canary"), tmp_path_factory.mktemp("state"), edge_port)
    write_product(command.root)
    yield command
    command("down", "test", "--volumes", "--yes", "--accept", "other-folder")
    command("runner", "--stop")
    remove_images(PRODUCT)


def write_product(root: Path) -> None:
    (root / "ecluse.yaml").write_text(
        f"product: {PRODUCT}\nenvironments:\n  test: {{engine: docker, domain: canary.localhost}}\n"
        "  other: {engine: docker, domain: other.canary.localhost}\n"
    )
    folder = root / "services" / "parrot"
    folder.mkdir(parents=True)
    keys = {f"S{number:03d}": {"secret": True, "required": True} for number in range(1, COUNT + 1)}
    process = {"port": 8080, "probe": {"path": "/health", "deadline": "60s"}, "stop_grace": "1s"}
    boast = ["python3", "-u", "/parrot.py", "boast"]
    service = {
        "service": "parrot",
        "processes": {"web": {"command": ["python3", "-u", "/parrot.py"], **process}},
        "tasks": {"boast": {"command": boast}},
        "crons": {"squawk": {"schedule": "0 3 1 1 *", "command": boast}},
        "config": {"LEVEL": {"default": "info"}, **keys},
        "deliver": ["env", {"path": "/config/settings.json", "format": "json"}],
    }
    (folder / "service.yaml").write_text(json.dumps(service))
    (folder / "parrot.py").write_text(PARROT.replace("\\\\n", "\\n"))
    write_dockerfile(root, "")


def write_dockerfile(root: Path, more: str) -> None:
    (root / "services" / "parrot" / "Dockerfile").write_text(
        "FROM debian:12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends python3 "
        f"&& rm -rf /var/lib/apt/lists/*\nCOPY parrot.py /parrot.py\n{more}"
    )


def plant(folder: Path) -> dict[str, str]:
    """The files with the planted values, private as they must be; by the names that COMMANDS uses."""
    values = {f"S{number:03d}": value(number) for number in range(1, COUNT + 1)}
    changed = values | {"S001": value(1) + value(11)}
    texts = {
        "secrets": json.dumps(values, ensure_ascii=False),
        "changed": json.dumps(changed, ensure_ascii=False),
        "broken": f"S001: [{core(1)}\n  S002: {{{core(2)}\n",
        "dotenv": "".join(
            f"S{number:03d}={core(number)}\nDB_PASSWORD_{number}={core(number)}\n" for number in range(1, 20)
        ),
        "compose": f"services:\n  web:\n    image: x\n    environment:\n      DB_PASSWORD: {core(21)}\n",
        "dump": json.dumps({"applications": [{"name": "x", "password": core(22)}]}),
    }
    paths = {}
    for name, text in texts.items():
        path = folder / f"{name}.{'json' if name == 'dump' else 'yaml' if name != 'dotenv' else 'env'}"
        path.write_text(text)
        path.chmod(0o600)
        paths[name] = str(path)
    return paths | {"saved": str(folder / "saved.plan")}


def leaves(group: click.Command, prefix: str = "") -> Iterator[str]:
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from leaves(command, f"{prefix} {name}".strip())
    else:
        yield prefix


def test_the_table_has_every_command() -> None:
    from ecluse.cli.main import cli

    assert set(COMMANDS) == set(leaves(cli))


def test_two_hundred_planted_secrets_appear_nowhere(product: Command, tmp_path: Path) -> None:
    names = plant(tmp_path) | {"root": str(product.root)}
    lines = {
        command: [f"{command} {line.format(**names)}" for line in wanted]
        for command, wanted in COMMANDS.items()
    }
    first = ("init", "doctor", "check", "build", "releases", "plan")
    last = ("down", "runner")
    with Watch().watching() as watch:
        outputs = spoken(product, [line for command in first for line in lines[command]])
        bring_a_bad_one(product)
        rest = [command for command in lines if command not in (*first, *last)]
        outputs |= spoken(product, [line for command in rest for line in lines[command]])
        outputs |= kept(product, Path(names["saved"]))
        outputs |= spoken(product, [line for command in last for line in lines[command]])
    assert spoke_of_it(outputs) == []
    outputs |= {f"arguments {number}": words for number, words in enumerate(watch.seen)}
    assert leaks(outputs) == []


def bring_a_bad_one(product: Command) -> None:
    """A release whose probe is refused, with every secret in the answer."""
    write_dockerfile(product.root, "RUN touch /bad\n")
    product.ok("build", "--quiet", "--version", "bad")


SHELL = """
import os, sys
from ecluse.cli.main import run_command
os.dup2(1, 2)
for line in sys.stdin.read().splitlines():
    print(f"{sys.argv[1]} {line}", flush=True)
    code = run_command(line.split())
    sys.stdout.flush()
    print(f"ended with {code}", flush=True)
"""


def spoken(product: Command, lines: list[str]) -> dict[str, bytes]:
    """What each command line says, both outputs together. One process runs them all, which saves many starts."""
    mark = "@@@"
    done = subprocess.run(
        [sys.executable, "-c", SHELL, mark], input="\n".join(lines).encode(), stdout=subprocess.PIPE,
        env=product.environment({"HOME": str(product.state), "EDITOR": "true"}), cwd=product.root, timeout=900, check=True,
    )  # fmt: skip
    found = {}
    for part in done.stdout.split(f"{mark} ".encode())[1:]:
        line, _, text = part.partition(b"\n")
        found[line.decode()] = text
    assert list(found) == lines
    return found


def labels(product: Command) -> bytes:
    listed = docker("ps", "--all", "--quiet", "--filter", f"label=ecluse.product={PRODUCT}").split()
    shown = "{{json .Config.Labels}} {{json .Config.Cmd}} {{json .Args}} {{.Name}}"
    return docker("inspect", "--format", shown, *listed).encode() if listed else b""


def kept(product: Command, saved: Path) -> dict[str, bytes]:
    """What is on the disk of the state and of the product, the vault apart, and what Docker shows to all."""
    found = {"saved plan": saved.read_bytes(), "labels": labels(product)}
    for top in (product.state, product.root):
        for path in sorted(top.rglob("*")):
            if path.is_file() and "vault" not in path.parts:
                found[str(path)] = path.read_bytes()
    return found


def spoke_of_it(outputs: dict[str, bytes]) -> list[str]:
    """The masks must have had work in logs, in the output of a task and in a cause: what had none."""
    wanted = ("logs test parrot", "run test parrot boast", "why test", "deploy test parrot=bad --secrets")
    return [
        f"{name}: {text.decode(errors='replace')[-2000:]}"
        for name, text in outputs.items()
        if name.startswith(wanted) and "•••".encode() not in text
    ]


def leaks(outputs: dict[str, bytes]) -> list[str]:
    """Where a planted value shows, with a few characters around it."""
    found = []
    wanted = needles()
    for name, text in outputs.items():
        for needle in wanted:
            at = text.find(needle)
            if at >= 0:
                around = text[max(0, at - 40) : at + 40].decode(errors="replace")
                found.append(f"{name}: …{around!r}…")
                break
    return found


def test_a_leak_would_be_found() -> None:
    basic = base64.b64encode(f"user:{value(3)}".encode())
    assert leaks({"a": b"nothing", "b": value(7).encode(), "c": basic}) != []
    assert len(leaks({"b": value(7).encode(), "c": basic})) == 2
