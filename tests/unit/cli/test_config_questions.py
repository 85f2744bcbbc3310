"""What people ask about the configuration, as they ask it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.asked import Asked
from tests.unit.config.product_folder import ProductFolder

CONTRACT = """
MAIL_HOST: {default: localhost}
MAIL_URL: {type: url, default: "smtp://${app.MAIL_HOST}:25"}
HOME_URL: {type: url, default: "${service.invoicing.public_url}"}
DAYS: {type: integer, default: 30}
TOKEN: {secret: true}
LOGIN: {default: "user:${app.TOKEN}"}
"""


@pytest.fixture
def asked(product: ProductFolder, ask: Asked, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Invoicing with layers, committed by Camille."""
    monkeypatch.setenv("ECLUSE_SECRET_TOKEN", "canary-7f3a")
    product.invoicing(config=CONTRACT)
    product.layer("common", "app:\n  MAIL_HOST: mail.example.fr\n")
    product.layer("environments/prod/common", "app:\n  MAIL_HOST: mail.prod.example.fr  # ours\n")
    product.layer(
        "environments/prod/services/invoicing",
        "app:\n  DAYS: 60\nrun:\n  web: {replicas: 3}\nreasons:\n  app.DAYS: customers have two months\n",
    )
    product.commit()
    return ask


def names(answer: list[dict[str, object]]) -> list[object]:
    return [one["name"] for one in answer]


def test_show_lists_every_value_with_its_place(asked: Asked) -> None:
    out = asked.ok("config", "show", "prod", "invoicing").out
    lines = [line.split(maxsplit=2) for line in out.splitlines()]
    assert lines[0] == ["KEY", "VALUE", "FROM"]
    assert [
        "MAIL_URL",
        "smtp://mail.prod.example.fr:25",
        "services/invoicing/service.yaml:7 (contract default)",
    ] in lines
    assert [
        "DAYS",
        "60",
        "config/environments/prod/services/invoicing.yaml:2 (environment prod, service invoicing)",
    ] in lines
    assert next(line for line in out.splitlines() if line.startswith("TOKEN ")).endswith(
        "ECLUSE_SECRET_TOKEN (variable)"
    )
    assert ["run.web.replicas", "3", "config/environments/prod/services/invoicing.yaml:4 (environment prod, service "
            "invoicing)"] in lines  # fmt: skip


def test_show_tells_the_problems_after_what_could_be_resolved(product: ProductFolder, ask: Asked) -> None:
    product.invoicing(config="PORT: {type: integer}\nHOST: {default: mail}")
    product.layer("common", "app: {PORT: eighty}")
    answer = ask("config", "show", "test", "invoicing")
    assert answer.code == 3
    assert "HOST" in answer.out
    assert answer.err == "config/common.yaml:1: app.PORT: must be an integer\nerror: 1 problem\n"


def test_explain_names_the_winner_what_it_beats_the_commit_and_every_reference(
    product: ProductFolder, asked: Asked
) -> None:
    commit = product.git("rev-parse", "--short=8", "HEAD")
    day = product.git("show", "-s", "--format=%ad", "--date=format:%Y-%m-%d", "HEAD")
    by = f"{commit} Camille {day}, x"
    assert asked.ok("config", "explain", "prod", "invoicing", "MAIL_URL").out == (
        "MAIL_URL of invoicing in prod: smtp://mail.prod.example.fr:25\n"
        "  from     services/invoicing/service.yaml:7 (contract default)\n"
        f"           {by}\n"
        "  written  smtp://${app.MAIL_HOST}:25\n"
        "  through  ${app.MAIL_HOST}: mail.prod.example.fr\n"
        "    from     config/environments/prod/common.yaml:2 (environment prod)\n"
        f"             {by}\n"
        "    beats    mail.example.fr    of config/common.yaml:2 (common)\n"
        "    beats    localhost    of services/invoicing/service.yaml:6 (contract default)\n"
    )


def test_explain_follows_a_public_address_to_what_it_is_made_of(asked: Asked) -> None:
    facts = asked.ok("config", "explain", "test", "invoicing", "HOME_URL", "--json").json
    (address,) = facts["through"]
    assert address["name"] == "service.invoicing.public_url"
    assert names(address["through"]) == ["invoicing run.web.expose", "environment.domain"]
    assert address["through"][1]["origin"] == {"layer": "ecluse.yaml", "file": "ecluse.yaml", "line": 6}
    assert address["through"][1]["commit"]["author"] == "Camille"


def test_explain_says_what_is_not_committed_and_why_a_value_is_what_it_is(
    product: ProductFolder, asked: Asked
) -> None:
    product.layer("environments/test/common", "app:\n  DAYS: 1\nreasons: {app.DAYS: tests do not wait}\n")
    out = asked.ok("config", "explain", "test", "invoicing", "DAYS").out
    assert "           not committed\n" in out
    assert "  because  tests do not wait\n" in out


def test_explain_takes_the_field_of_a_process(asked: Asked) -> None:
    out = asked.ok("config", "explain", "prod", "invoicing", "run.web.replicas").out
    assert out.startswith("run.web.replicas of invoicing in prod: 3\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("explain", "prod", "invoicing", "DAY"), "error: the contract of invoicing has no key DAY\nhint: did you mean DAYS?\n"),
        (("explain", "prod", "invoicing", "run.web.replica"), "error: nobody says run.web.replica of invoicing\n"
         "hint: did you mean run.web.replicas?\n"),
        (("show", "prod", "invocing"), "error: there is no service 'invocing'\nhint: did you mean invoicing?\n"),
        (("show", "prd", "invoicing"), "error: no environment is named prd\nhint: did you mean prod?\n"),
        (("where", "MAIL_HOTS"), "error: no place speaks of MAIL_HOTS\nhint: did you mean MAIL_HOST?\n"),
        (("history", "prod", "invoicing", "DAYZ"), "error: the contract of invoicing has no key DAYZ\n"
         "hint: did you mean DAYS?\n"),
        (("diff", "prod", "--at", "nonesuch"), "error: git knows no revision 'nonesuch'\n"
         "hint: git log --oneline shows what there is\n"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_gets_the_nearest(asked: Asked, words: tuple[str, ...], told: str) -> None:
    answer = asked("config", *words)
    assert (answer.code, answer.err) == (4, told)


def test_where_lists_declarations_values_and_references_with_whom_each_wins_for(asked: Asked) -> None:
    found = asked.ok("config", "where", "MAIL_HOST", "--json").json
    assert [
        (one["kind"], one["value"], one["origin"]["file"], one["origin"]["line"], one["wins"])
        for one in found
    ] == [
        ("declared", "string", "services/invoicing/service.yaml", 6, []),
        ("given", "mail.example.fr", "config/common.yaml", 2, ["test/invoicing"]),
        ("given", "mail.prod.example.fr", "config/environments/prod/common.yaml", 2, ["prod/invoicing"]),
        ("given", "localhost", "services/invoicing/service.yaml", 6, []),
        ("referred to", "MAIL_URL", "services/invoicing/service.yaml", 7, []),
    ]


def test_where_finds_references_in_layers_and_templates(product: ProductFolder, asked: Asked) -> None:
    product.invoicing(config=CONTRACT, more="files: {/x: {template: x.j2}}\n")
    product.write("services/invoicing/x.j2", "{{ MAIL_HOST }}\n")
    product.layer("environments/test/common", 'app: {LOGIN: "me@${app.MAIL_HOST}"}')
    found = asked.ok("config", "where", "MAIL_HOST", "--json").json
    assert [one["value"] for one in found if one["kind"] == "referred to"] == [
        "MAIL_URL",
        "x.j2",
        "app.LOGIN",
    ]


def test_diff_gives_each_difference_its_reason_or_marks_it(asked: Asked) -> None:
    answer = asked.ok("config", "diff", "test", "prod")
    assert answer.out.splitlines()[0] == "test → prod: 6 different, 3 unexplained"
    found = {one["name"]: one for one in asked.ok("config", "diff", "test", "prod", "--json").json}
    assert {name: one["reason"] for name, one in found.items()} == {
        "protected": "one of the two is protected",
        "app.MAIL_HOST": None,
        "app.MAIL_URL": None,
        "app.HOME_URL": "follows from service.invoicing.public_url: follows from environment.domain: "
        "each environment has its own",
        "app.DAYS": "customers have two months",
        "run.web.replicas": None,
    }
    assert found["run.web.replicas"]["left"]["value"] == "1"
    assert "  MAIL_HOST  mail.example.fr → mail.prod.example.fr    UNEXPLAINED\n" in answer.out


def test_a_reason_explains_what_follows_from_its_value_too(product: ProductFolder, asked: Asked) -> None:
    product.layer(
        "environments/prod/common",
        "app:\n  MAIL_HOST: mail.prod.example.fr\nreasons:\n  app.MAIL_HOST: prod has its own\n",
    )
    product.layer(
        "environments/prod/domains/billing", "run: {'*': {replicas: 2}}\nreasons: {run.*: many customers}\n"
    )
    found = {one["name"]: one["reason"] for one in asked.ok("config", "diff", "test", "prod", "--json").json}
    assert found["app.MAIL_URL"] == "follows from app.MAIL_HOST: prod has its own"
    assert found["run.web.replicas"] == "many customers"
    assert asked("config", "diff", "test", "prod", "--strict").code == 0


def test_diff_of_one_service_leaves_the_others_out(product: ProductFolder, asked: Asked) -> None:
    product.layer("environments/prod/services/accounting", "run: {web: {replicas: 2}}")
    found = asked.ok("config", "diff", "test", "prod", "accounting", "--json").json
    assert [(one["service"], one["name"]) for one in found] == [("accounting", "run.web.replicas")]


def test_unexplained_differences_end_a_strict_diff_with_a_refusal(asked: Asked) -> None:
    answer = asked("config", "diff", "test", "prod", "--strict")
    assert (answer.code, answer.err.splitlines()[0]) == (5, "error: 3 differences are not explained")


def test_what_ecluse_yaml_says_of_two_environments_is_compared_too(
    product: ProductFolder, ask: Asked
) -> None:
    text = (product.root / "ecluse.yaml").read_text()
    product.write("ecluse.yaml", text.replace(
        "protected: true}",
        "protected: true, tls: {hsts: 60}, backing: {db: {external: {host: db.example.fr}}},\n"
        "    reasons: {backing.db: the company keeps one database}}",
    ))  # fmt: skip
    found = {
        one["name"]: one
        for one in ask.ok("config", "diff", "test", "prod", "--json").json
        if not one["service"]
    }
    assert found["backing.db.external"]["reason"] == "the company keeps one database"
    assert found["tls.hsts"]["reason"] is None
    assert found["tls.hsts"]["right"]["origin"]["line"] == 7


def test_the_reason_of_a_cron_explains_its_differences(product: ProductFolder, ask: Asked) -> None:
    product.invoicing(more="crons: {night: {schedule: '0 1 * * *', command: [x]}}\n")
    product.layer(
        "environments/prod/services/invoicing",
        "run: {crons: {night: {enabled: false, reason: the old side sends}}}",
    )
    found = {one["name"]: one["reason"] for one in ask.ok("config", "diff", "test", "prod", "--json").json}
    assert found["run.crons.night.enabled"] == "the old side sends"


def test_diff_at_a_revision_says_what_changed_and_who_changed_it(
    product: ProductFolder, asked: Asked
) -> None:
    product.layer("common", "app:\n  MAIL_HOST: relay.example.fr\n")
    product.commit()
    answer = asked.ok("config", "diff", "test", "--at", "HEAD~1")
    assert answer.out.startswith("test at HEAD~1 → now: 2 different\n\ninvoicing\n")
    assert (
        "  MAIL_HOST  mail.example.fr → relay.example.fr\n      config/common.yaml:2 (common), " in answer.out
    )
    assert " Camille " in answer.out
    found = asked.ok("config", "diff", "test", "--at", "HEAD~1", "invoicing", "--json").json
    assert names(found) == ["app.MAIL_HOST", "app.MAIL_URL"]
    assert (
        asked.ok("config", "diff", "prod", "--at", "HEAD~1").out == "prod at HEAD~1 and prod: no difference\n"
    )


def test_a_diff_needs_something_to_compare_with(asked: Asked) -> None:
    assert asked("config", "diff", "test").code == 2


def test_history_lists_the_commits_that_changed_a_value(product: ProductFolder, asked: Asked) -> None:
    product.layer("services/accounting", "run: {web: {replicas: 2}}").commit()
    product.layer("common", "app:\n  MAIL_HOST: relay.example.fr\n").commit()
    product.layer("environments/test/common", "app:\n  MAIL_HOST: relay.example.fr\n").commit()
    product.layer("common", "app: [\n").commit()
    product.layer("common", "app:\n  MAIL_HOST: other.example.fr\n").commit()
    found = asked.ok("config", "history", "test", "invoicing", "MAIL_URL", "--json").json
    assert [one["value"] and one["value"]["value"] for one in found] == [
        "smtp://relay.example.fr:25", None, "smtp://relay.example.fr:25", "smtp://mail.example.fr:25",
    ]  # fmt: skip
    assert found[1]["problem"].startswith("config/common.yaml:2: is not YAML")
    assert {one["author"] for one in found} == {"Camille"}
    table = asked.ok("config", "history", "test", "invoicing", "MAIL_HOST", "--limit", "2").out
    _, newest, wrong = table.splitlines()
    assert "relay.example.fr" in newest
    assert "(the files were wrong)" in wrong
    assert "is not YAML" in wrong


def test_history_needs_a_repository(product: ProductFolder, ask: Asked) -> None:
    product.invoicing(config=CONTRACT)
    answer = ask("config", "history", "test", "invoicing", "DAYS")
    assert answer.code == 4
    assert "has no history" in answer.err


def test_unused_lists_what_nobody_would_miss(product: ProductFolder, asked: Asked) -> None:
    product.layer("common", "app:\n  MAIL_HOST: mail.example.fr\n  NOBODY: x\n  DAYS: 30\n")
    product.layer("environments/test/common", "app:\n  MAIL_HOST: mail.test.example.fr\n")
    product.write("ecluse.yaml", (product.root / "ecluse.yaml").read_text() + "  spare: {kind: redis}\n")
    found = asked.ok("config", "unused", "--json").json
    assert [(one["name"], one["why"]) for one in found] == [
        ("app.MAIL_HOST", "is beaten everywhere"),
        ("app.NOBODY", "is declared by no service"),
        ("app.DAYS", "says what services/invoicing/service.yaml:9 (contract default) says already"),
        ("backing.spare", "is used by no service"),
    ]
    assert "MAIL_HOST" in asked.ok("config", "unused").out


def test_nothing_unused_and_nothing_repeated_is_said(asked: Asked) -> None:
    assert asked.ok("config", "unused").out == "nothing is said in vain\n"
    assert asked.ok("config", "repeated").out == "no value is written in several places\n"


def test_repeated_lists_one_value_in_many_places_and_how_to_say_it_once(
    product: ProductFolder, asked: Asked
) -> None:
    product.layer("environments/test/common", "app: {MAIL_HOST: relay.example.fr, DAYS: 7}")
    product.layer("environments/test/services/invoicing", "app: {DAYS: 7, LOGIN: relay.example.fr}")
    found = asked.ok("config", "repeated", "--json").json
    assert [(one["value"], names(one["places"]), one["advice"]) for one in found] == [
        (
            "relay.example.fr",
            ["app.MAIL_HOST", "app.LOGIN"],
            "say it once, and refer to it as ${app.MAIL_HOST}",
        ),
        ("7", ["app.DAYS", "app.DAYS"], "say it once in a layer that all of them read"),
    ]
    assert "relay.example.fr    2 times" in asked.ok("config", "repeated").out


def test_check_takes_one_environment(product: ProductFolder, ask: Asked) -> None:
    product.invoicing(config="PORT: {type: integer, default: 80}")
    product.layer("environments/prod/common", "app: {PORT: eighty}")
    assert ask.ok("check", "test").out == "comptoir: 2 services, test, no problem\n"
    assert ask.ok("config", "check", "test").out == "comptoir: 2 services, test, no problem\n"
    assert ask("check", "prod").code == 3
    assert ask("check", "prdo").code == 4


QUESTIONS = (
    ("show", "test", "invoicing"),
    ("explain", "test", "invoicing", "TOKEN"),
    ("explain", "test", "invoicing", "LOGIN"),
    ("where", "TOKEN"),
    ("diff", "test", "prod"),
    ("diff", "test", "--at", "HEAD"),
    ("history", "test", "invoicing", "LOGIN"),
    ("unused",),
    ("repeated",),
    ("check",),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_no_answer_holds_a_secret_and_none_writes(
    asked: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    question: tuple[str, ...],
    form: tuple[str, ...],
) -> None:
    monkeypatch.setenv("ECLUSE_SECRET_TOKEN", "canary-7f3a")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if ".git" not in path.parts}
    answer = asked("config", *question, *form)
    assert answer.code == 0, answer.err
    assert "canary" not in answer.out + answer.err
    assert {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if ".git" not in path.parts
    } == before


def test_schema_shows_that_of_one_file(asked: Asked) -> None:
    schema = asked.ok("config", "schema", "config/environments/prod/services/invoicing.yaml").json
    assert schema["title"] == "a layer of invoicing"
    assert asked.ok("config", "schema", "ecluse.yaml").json["title"] == "ecluse.yaml"
    assert asked.ok("config", "schema", "services/invoicing/service.yaml").json["title"] == "service.yaml"
    assert asked("config", "schema", "config/domains/biling.yaml").code == 4
    assert asked("config", "schema").code == 2


def test_schema_writes_all_of_them_and_shows_how_an_editor_finds_them(asked: Asked, tmp_path: Path) -> None:
    found = asked.ok("config", "schema", "--write", str(tmp_path / "schemas")).json["yaml.schemas"]
    assert {str(path) for path in (tmp_path / "schemas").rglob("*.json")} == set(found)
    assert found[str(tmp_path / "schemas/services/invoicing.json")] == [
        "config/services/invoicing.yaml",
        "config/environments/*/services/invoicing.yaml",
    ]
