from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.importers.folder import Folder

COMPOSE = """\
name: Shop
x-log: &log
  logging: {driver: json-file}
services:
  api:
    <<: *log
    build: {context: ./api, target: production, args: {V: "1"}}
    command: ["gunicorn", "app:app", "--bind", "0.0.0.0:8000"]
    ports: ["8080:8000", "9000:9000"]
    environment:
      LOG_LEVEL: ${LOG_LEVEL:-info}
      DATABASE_URL: mysql://shop:${DB_PASSWORD}@db:3306/shop
      REDIS_HOST: cache
      REDIS_PORT: 6379
      SMTP_PASSWORD: hunter2-Tr0ub4dor
      CALLBACK: http://localhost:8000/hook
      DEBUG: "true"
      PRICE: "$$5"
      FROM_SHELL:
    env_file: [api.env]
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
    healthcheck:
      test: ["CMD-SHELL", "curl -f http://localhost:8000/health || exit 1"]
      interval: 5s
      timeout: 1500ms
      retries: 4
      start_period: 10s
    deploy: {replicas: 3, resources: {limits: {cpus: "0.50", memory: 256M}, reservations: {memory: 64M}}}
    restart: always
    volumes: ["uploads:/var/uploads", "./api.conf:/etc/api.conf:ro"]
  web_front:
    image: nginx:1.25
    ports: [{target: 80, published: "80"}]
    environment: [API_URL=http://api:8000/v1, EMPTY=]
    depends_on: [api]
    command: nginx -g 'daemon off;'
  worker:
    build: .
    command: ["run", "--password=hunter2-Tr0ub4dor"]
    environment: {DB_HOST: db, DB_USER: shop, DB_PASSWORD: "${DB_PASSWORD}", DB_NAME: shop, DB_PORT: "3306"}
  db:
    image: mariadb:10.6
    environment: {MARIADB_USER: shop, MARIADB_PASSWORD: "${DB_PASSWORD}", MARIADB_DATABASE: shop}
    volumes: ["data:/var/lib/mysql"]
  cache:
    image: redis:7-alpine
volumes: {uploads: {}, data: {}}
"""
ENV = "DB_PASSWORD=d4tabase-Passw0rd\n"
API_ENV = "LOG_LEVEL=debug\nTZ=Europe/Paris\nAPI_TOKEN=t0ken-abcdef\n"


@pytest.fixture(name="empty")
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("ECLUSE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SOPS_AGE_KEY", "")
    folder = Folder(tmp_path / "shop")
    folder.root.mkdir()
    folder.write("compose.yaml", COMPOSE)
    folder.write(".env", ENV)
    folder.write("api.env", API_ENV)
    return folder.sops("test")


def run(folder: Folder, *words: object) -> int:
    return folder.run("import", "compose", folder.root / "compose.yaml", *words)


def test_services_databases_and_values_come_over(empty: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(empty) == 0, capsys.readouterr()
    empty.assert_checks()
    product = empty.read("ecluse.yaml")
    assert product.startswith("product: shop\n")
    assert "  db: {kind: mariadb}\n  cache: {kind: redis}\n" in product
    assert "  api: {path: api}\n" in product
    api = empty.application("test", "api")
    web = api.processes["web"]
    assert web.command == ("gunicorn", "app:app", "--bind", "0.0.0.0:8000")
    assert (web.port, web.cpu, web.memory, web.replicas) == (8000, 500, 256 * 1024**2, 3)
    assert (web.probe.path, web.probe.interval, web.probe.timeout, web.probe.deadline) == (
        "/health",
        5,
        1.5,
        30,
    )
    assert web.expose
    assert set(api.backing) == {"db", "cache"}
    values = empty.values("test", "api")
    assert values["LOG_LEVEL"] == "info"
    assert values["TZ"] == "Europe/Paris"
    assert values["DEBUG"] == "true"
    assert values["PRICE"] == "$5"
    assert values["SMTP_PASSWORD"] == "hunter2-Tr0ub4dor"
    assert values["API_TOKEN"] == "t0ken-abcdef"
    assert values["DATABASE_URL"].startswith("mysql://api:")
    assert values["DATABASE_URL"].endswith("@db:3306/api")
    assert (values["REDIS_HOST"], values["REDIS_PORT"]) == ("cache", "6379")
    assert "FROM_SHELL" not in values
    front = empty.values("test", "web-front")
    assert front == {"API_URL": "http://api/v1", "EMPTY": ""}
    assert empty.application("test", "web-front").processes["web"].command == ("nginx", "-g", "daemon off;")
    worker = empty.values("test", "worker")
    assert (worker["DB_HOST"], worker["DB_USER"], worker["DB_NAME"]) == ("db", "worker", "worker")
    assert worker["DB_PASSWORD"] != "d4tabase-Passw0rd"
    assert empty.read("services/web-front/Dockerfile") == "FROM nginx:1.25\n"


def test_what_has_no_equivalent_is_listed(empty: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    run(empty)
    out = capsys.readouterr().out
    for line in (
        "api.environment.FROM_SHELL: is taken from whoever calls",
        "api: CALLBACK: calls localhost, which is the container itself",
        "api.volumes: uploads:/var/uploads: nothing ties a service to a machine",
        "api.volumes: ./api.conf:/etc/api.conf:ro: nothing ties",
        "api.build.args: has no equivalent",
        "compose.yaml:7: api.build.args: has no equivalent",
        "api.restart: a replica that ends is started again",
        "api.ports: was reached at 8080: here under api.",
        "api.ports: a process has one port: 9000 needs a process of its own",
        "api.logging: logs are read with `ecluse logs`",
        "api.deploy.resources.reservations: has no equivalent",
        "worker.command: holds what looks like a secret",
        "worker.build: . cannot be its folder",
        "web_front.image: nginx:1.25 is no image of yours",
        "web_front: is web-front here",
        "db: ran mariadb:10.6",
        "volumes: has no equivalent",
        "api: LOG_LEVEL: an env file gives it too",
        "api: DATABASE_URL: is ${backing.db.url}",
        "worker: DB_PASSWORD: is ${backing.db.password}",
    ):
        assert line in out, line


def test_no_secret_stands_in_a_plain_file_or_in_what_is_said(
    empty: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = {"compose.yaml", ".env", "api.env"}
    run(empty, "--dry-run")
    run(empty)
    run(empty, "--json")
    run(empty, "--overwrite")
    out = capsys.readouterr()
    written = b"".join(text for path, text in empty.files().items() if path not in sources)
    for secret in ("hunter2-Tr0ub4dor", "d4tabase-Passw0rd", "t0ken-abcdef"):
        assert secret.encode() not in written + (out.out + out.err).encode()
    assert b"SMTP_PASSWORD: ENC[" in empty.files()["config/environments/test/services/api.sops.yaml"]


def test_a_second_run_changes_nothing_and_keeps_what_people_wrote(
    empty: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    run(empty)
    first = empty.files()
    assert run(empty) == 0
    assert empty.files() == first
    empty.write(
        "api/service.yaml", empty.read("api/service.yaml").replace("port: 8000", "port: 8001  # ours")
    )
    mine = empty.files()
    assert run(empty) == 0
    assert empty.files() == mine
    assert "api/service.yaml: processes.web.port: differs from the source" in capsys.readouterr().out


def test_without_rules_for_secrets_nothing_is_written(
    empty: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty.root / ".sops.yaml").unlink()
    before = empty.files()
    assert run(empty) == 5
    assert "`ecluse secrets init`" in capsys.readouterr().err
    assert empty.files() == before


def test_values_of_an_environment_go_there(empty: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    empty.write(
        "ecluse.yaml", "product: shop\nenvironments:\n  test: {domain: t.localhost}\n  prod: {domain: p.fr}\n"
    )
    assert run(empty) == 2
    assert "--environment test or prod" in capsys.readouterr().err
    assert run(empty, "--environment", "nowhere") == 4
    assert run(empty, "--environment", "test") == 0
    assert empty.values("test", "api")["LOG_LEVEL"] == "info"
    assert "LOG_LEVEL" not in empty.values("prod", "api")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: [", "compose.yaml:2: is not YAML"),
        ("services: {}", "compose.yaml:1: services: there are none"),
        ("- a", "compose.yaml:1: must be a map with services"),
        ("services:\n  a: {image: x, image: y}", "compose.yaml:2: services.a.image: is given twice"),
        ("services:\n  a:\n    image: ${X", "compose.yaml:3: services.a.image: has a ${ that is never closed"),
        ("services:\n  a:\n    environment: {PASSWORD=hunter2: \"${X\"}", "compose.yaml:3: services.a.environment.…: has a ${ that is never closed"),
        ("x: {ghp_0123456789abcdefghijklmnopqrstuvwxyz: $}", "compose.yaml:1: x.…: has a $ that begins no variable: $$ is a literal $"),
        ("services:\n  a:\n    image: ${X:?no}", "compose.yaml:3: services.a.image: needs the variable X"),
        ("services:\n  a:\n    image: $1", "has a $ that begins no variable: $$ is a literal $"),
        ("services:\n  a: {env_file: e}", "e:1: A: has a quote that is never closed"),
        ("a: " + "[" * 60, "compose.yaml:1: is nested too deep"),
        ("services: {a: {image: \"\0\"}}", "compose.yaml:1: has a character that text cannot have"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    empty: Folder, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    empty.write("compose.yaml", text.encode())
    empty.write("e", 'A="x')
    before = empty.files()
    assert run(empty) == 3
    assert said in capsys.readouterr().err
    assert empty.files() == before


def test_anchors_that_double_again_and_again_are_refused(
    empty: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "a0: &a0 [x, x]",
        *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 30)),
    ]
    empty.write("compose.yaml", "\n".join([*lines, "services: {a: {image: x}}"]).encode())
    assert run(empty) == 3
    assert "grows too large through its anchors" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "is_secret"),
    [
        ("redis-server --requirepass hunter2", True),
        ("app --db=mysql://a:b@c/d", True),
        ("app --api-key 1234567", True),
        ("sh -c 'run --password=x'", True),
        ("app --password-file=/run/x", False),
        ("app --port 80 --log-level debug", False),
    ],
)
def test_a_secret_in_a_command_is_recognised(
    empty: Folder, capsys: pytest.CaptureFixture[str], command: str, is_secret: bool
) -> None:
    empty.write("compose.yaml", json.dumps({"services": {"a": {"image": "x", "command": command}}}).encode())
    assert run(empty) == 0
    assert ("holds what looks like a secret" in capsys.readouterr().out) is is_secret
    assert ("command" in empty.read("services/a/service.yaml")) is not is_secret
