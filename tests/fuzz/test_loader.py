"""Whatever stands in the product's files: a configuration or ConfigInvalid, and never a secret in a message."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ecluse.config.check import check
from ecluse.config.document import read_document
from ecluse.config.load import Configuration, load, read_service
from ecluse.config.lockfile import read_lock
from ecluse.config.render import Unrendered, template_text
from ecluse.config.resolve import resolve
from ecluse.config.scope import Means
from ecluse.config.workspace import open_workspace
from ecluse.errors import ConfigInvalid
from ecluse.model.names import ServiceName
from ecluse.model.release import Release
from ecluse.secrets.memory import MemorySecrets, MemoryVault

SECRET = "hunter2-Tr0ub4dor"
SERVICE = "services/invoicing/service.yaml"
VALID: Mapping[str, str] = {
    "ecluse.yaml": """\
product: comptoir
services:
  invoicing: {domain: billing}
environments:
  test: {domain: test.localhost}
  prod: {domain: comptoir.example.fr, follows: [test], protected: true, backing: {db: {storage: 1Gi}}}
backing:
  db: {kind: mariadb, version: "10.11", storage: 10Gi}
  cache: {kind: redis, external: {host: cache.example.fr, password_key: CACHE_PASSWORD}}
""",
    SERVICE: """\
service: invoicing
image: {dockerfile: Dockerfile, target: production, tests: {target: test, commands: [[phpunit]]}}
processes:
  web: {port: 8080, probe: {path: /health}, cpu: 100m, memory: 128Mi, expose: {host: invoicing}}
  worker: {command: [php, bin/worker.php]}
tasks:
  migrate: {command: [php, bin/migrate.php], when: before, reversible: true}
crons:
  reminders: {schedule: "0 6 * * 1-5", timezone: Europe/Paris, command: [php, bin/reminders.php]}
uses: [accounting, db, cache, "https://api.example.fr"]
config:
  DATABASE_URL: {type: url, default: "${backing.db.url}"}
  CACHE_URL: {type: url, default: "${backing.cache.url}"}
  ACCOUNTING_URL: {type: url, default: "${service.accounting.url}"}
  LDAP: {type: boolean, default: false}
  LDAP_URL: {type: url, required_when: LDAP}
  PASSWORD: {secret: true, required: true}
  PIN: {secret: true, type: string, pattern: ".+"}
  DSN: {default: "smtp://u:${app.PASSWORD}@mail"}
  REPLICAS: {type: integer, default: 2}
  LEVEL: {choices: [debug, info], default: info}
  LIST: {type: list, default: [a, b]}
  TREE: {type: json, default: {a: [1, {b: "${app.LIST}"}]}}
deliver: [env, {path: /config/.env, format: env}, {path: /config/x.json, format: json, mode: "0400"}]
files:
  /config/x.conf: {template: x.j2}
""",
    "services/accounting/service.yaml": """\
service: accounting
processes: {web: {port: 80}}
uses: [db]
config: {REPLICAS: {type: integer, default: 1}}
""",
    "services/invoicing/x.j2": "{% if LDAP %}{{ LDAP_URL }}{% endif %}\n{{ PASSWORD }} {{ TREE }} {{ release }}\n",
    "config/common.yaml": 'app: {LEVEL: debug}\nrun: {"*": {memory: 64Mi}, web: {replicas: "${app.REPLICAS}"}}\n',
    "config/domains/billing.yaml": "app: {TREE: {a: null, c: x}}\n",
    "config/environments/test/common.yaml": "services: {invoicing: {run: {web: {probe: {deadline: 90s}}}}}\n",
    "config/environments/prod/services/invoicing.yaml": (
        "app: {LDAP: true, LDAP_URL: ldap://d.fr}\nrun: {crons: {reminders: {enabled: false, reason: no}}}\n"
    ),
}
YAML_FILES = sorted(path for path in VALID if path.endswith(".yaml"))
TOKENS = (
    "a: ", "- ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ", ", ": ", "? ", "| ", "> ", "&a ", "*a", "<<: ", "!!str ",
    "!x ", "'", '"', "#", "%YAML 1.2\n", "---\n", "...\n", "\t", "\0", "\ufeff", "~", "null", "yes", "010", "0x1", "1e9",
    ".inf", "22:22", "9" * 30, "${", "${app.PASSWORD}", "${app.DSN}", "$${", "}", "é", "\U0001f600", "\x85", "\u2028",
    "product: ", "service: ", "processes: ", "web: ", "config: ", "KEY: ", "secret: true", "default: ", "run: ", "app: ",
)  # fmt: skip
texts = st.lists(st.sampled_from(TOKENS) | st.text(max_size=4), max_size=40).map("".join)
references = st.sampled_from(
    [
        "${app.PASSWORD}", "x ${app.PASSWORD} y", "${app.DSN}", "${app.TREE}", "${app.LIST}", "${app.LDAP_URL}",
        "${run.web.replicas}", "${run.web.expose.host}", "${run.web.probe}", "${run..}", "${service.invoicing.public_url}",
        "${service.accounting.url}", "${backing.db.password}", "${backing.cache.url}", "${release.version}", "${}", "${app",
        "$${app.X}", "${environment.domain}", "${app.NOTHING}", "${run.web.command}", "${product.name}",
    ]
)  # fmt: skip
scalars = (
    st.none() | st.booleans() | st.integers(-10, 2**70) | st.floats() | st.text(max_size=8) | references
    | st.sampled_from(["docker", "url", "0440", "100m", "1Gi", "30s", "* * * * *", "invoicing", "db", "a.b", "/x", "../x"])
)  # fmt: skip
names = st.sampled_from(
    [
        "product", "services", "environments", "backing", "domain", "follows", "places", "default", "placement", "engine",
        "kind", "external", "host", "service", "processes", "tasks", "crons", "uses", "config", "deliver", "files", "web",
        "worker", "*", "reminders", "port", "probe", "path", "command", "cpu", "memory", "expose", "replicas", "drain",
        "stop_grace", "schedule", "timezone", "enabled", "type", "secret", "required", "required_when", "pattern",
        "choices", "format", "mode", "template", "app", "run", "PASSWORD", "PIN", "DSN", "TREE", "LIST", "LDAP", "REPLICAS",
        "invoicing", "accounting", "test", "prod", "db", "cache", "password_key", "deprecated", "image", "path",
    ]
) | st.text(max_size=4)  # fmt: skip
structures = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
fuzzed = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))


def outcome(changed: Mapping[str, str]) -> str:
    """Loads and checks the valid product with these files changed: what was told, of problems and warnings."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in {**VALID, **changed}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode("utf-8", "surrogatepass"))
        secrets = MemorySecrets({"PASSWORD": SECRET, "PIN": SECRET, "CACHE_PASSWORD": SECRET})
        try:
            configuration = load(open_workspace(root))
            problems, warnings = check(configuration, secrets, MemoryVault())
            if not problems:
                assert_hides(desired(configuration, secrets))
        except ConfigInvalid as error:
            return str(error)
        return "\n".join(map(str, (*problems, *warnings)))


def desired(configuration: Configuration, secrets: MemorySecrets) -> str:
    """Everything that plans and records would hold."""
    release = Release(ServiceName(""), "1.0", "sha256:0", "", "", datetime.now(UTC), None, False, "", {})
    releases = {
        name: replace(release, service=name, service_yaml=one.text, templates=configuration.templates[name])
        for name, one in configuration.declarations.items()
    }
    return repr(
        [
            resolve(
                configuration,
                name,
                releases,
                releases,
                Means(secrets, MemoryVault(), public_port=80),
            )
            for name in configuration.product.environments
        ]
    )


def assert_hides(told: str) -> None:
    assert SECRET not in told
    assert MemoryVault().derive("test/db/invoicing/1") not in told


def test_the_product_that_is_mutated_here_is_valid() -> None:
    assert outcome({}) == ""


@fuzzed
@given(texts)
@example("a: &a [*a]")
@example("? ? ? ? x")
@example("[" * 200)
def test_any_text_is_a_document_or_problems(text: str) -> None:
    document = read_document(text, "f.yaml")
    assert document.problems or json.dumps(document.value) is not None


@fuzzed
@given(st.text())
def test_any_text_is_a_service_or_problems(text: str) -> None:
    with suppress(ConfigInvalid):
        assert read_service(text, "service.yaml").name


@fuzzed
@given(texts)
def test_any_text_is_a_lockfile_or_problems(text: str) -> None:
    with suppress(ConfigInvalid):
        assert read_lock(text, "test.lock.yaml") is not None


@fuzzed
@given(st.sampled_from(YAML_FILES), texts)
def test_any_text_in_the_place_of_a_file_is_survived(path: str, text: str) -> None:
    assert_hides(outcome({path: text}))


@fuzzed
@given(st.sampled_from(YAML_FILES), structures)
def test_any_structure_in_the_place_of_a_file_is_survived(path: str, value: object) -> None:
    assert_hides(outcome({path: json.dumps(value)}))


@fuzzed
@given(st.sampled_from(sorted(VALID)), st.data())
def test_a_file_with_a_piece_cut_out_or_put_in_is_survived(path: str, data: st.DataObject) -> None:
    text = VALID[path]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    assert_hides(outcome({path: text[:start] + data.draw(texts) + text[end:]}))


@fuzzed
@given(st.sampled_from(YAML_FILES), st.data())
def test_a_file_with_another_value_somewhere_is_survived(path: str, data: st.DataObject) -> None:
    value = read_document(VALID[path], path).value
    assert_hides(outcome({path: json.dumps(_changed(value, data))}))


@fuzzed
@given(texts, st.sampled_from(["services/invoicing/x.j2"]))
@example("{{ PASSWORD.x }} {{ {}[PASSWORD] }}", "services/invoicing/x.j2")
@example("{{ PASSWORD + 1 }}", "services/invoicing/x.j2")
@example("{% for x in PASSWORD %}{{ PASSWORD[x] }}{% endfor %}", "services/invoicing/x.j2")
def test_any_template_is_survived(text: str, path: str) -> None:
    assert_hides(outcome({path: text}))


@fuzzed
@given(
    st.lists(
        st.sampled_from(["{{", "}}", "{%", "%}", " if ", " for x in ", "endif", "endfor", " KEY ", "|", "(", ")", "[", "]",
                         ".", " range", "9999999", "*", "**", "'a'", "join", "format", "~", "{#", "-", "set ", "=", "%"]),
        max_size=25,
    ).map("".join)
)  # fmt: skip
def test_pieces_of_templates_make_a_text_or_a_problem(text: str) -> None:
    try:
        template_text(text, "t.j2", {"KEY": SECRET}, is_secret=lambda: True)
    except Unrendered as error:
        assert_hides(str(error.problem))


def _changed(value: object, data: st.DataObject) -> object:
    """`value` with another one drawn for one of its parts."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _changed(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 2)):
        index = data.draw(st.integers(0, len(value) - 1))
        return [*value[:index], _changed(value[index], data), *value[index + 1 :]]
    return data.draw(structures)
