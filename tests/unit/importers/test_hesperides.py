"""A whole application taken over: secrets, environments, versions, instances, and what a second run does."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hesperides.server import Hesperides, deployed, serving, template
from tests.unit.importers.folder import Folder
from tests.unit.importers.test_hesperides_files import bring

PASSWORD = "hunter2-Tr0ub4dor"
CONF = """\
# {{hesperides.platform.name}}
db={{db.url}}
password={{db.password|@password the database}}
level={{log.level|@default info @comment "how much is logged"}}
{{#hosts}}
host {{name}}:{{port|@default 80}} in {{zone}}
{{/hosts}}
mail={{smtp.host|@required}}
"""


def shop() -> Hesperides:
    """Two platforms; the password comes from a global in one of them."""
    hesperides = Hesperides()
    techno = hesperides.techno(
        "jvm", "3", template("setenv.sh", "-Xmx{{heap|@default 1g}}\n", filename="set env.sh")
    )
    rights = {"user": {"read": True, "write": True}, "group": {"read": True}}
    web = hesperides.module("web", template("app.conf", CONF, rights=rights), technos=(techno,))
    job = hesperides.module(
        "Batch_Job", template("job.ini", "url={{db.url}}\npw={{pw}}\n", location="/opt/job")
    )
    hosts = [
        {"_title": "one", "name": "a"},
        {"name": "b", "port": "81", "zone": "{{hesperides.module.path.0}}"},
    ]
    hesperides.platform(
        "PRD1",
        deployed(
            web,
            {
                "db.password": "{{db.main}}",
                "db.url": "mysql://m/shadowed",
                "smtp.host": "mail",
                "hosts": hosts,
                "old.one": "kept somewhere",
            },
        ),
        deployed(job, {"pw": "{{db.main}}"}, path="#JOBS"),
        production=True,
        db__url="mysql://db.prod/app",
        db__main=PASSWORD,
        zone="eu",
        unused__one="x",
    )
    hesperides.platform(
        "int",
        deployed(web, {"db.password": "int-Passw0rd", "db.url": "mysql://{{db.host}}/app", "db.host": "int", "smtp.host": "m"}),
        deployed(job, {"pw": "other-Passw0rd", "db.url": "none"}, path="#JOBS"),
        zone="fr",
    )  # fmt: skip
    return hesperides


@pytest.fixture(name="empty")
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("ECLUSE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SOPS_AGE_KEY", "")
    folder = Folder(tmp_path / "product")
    folder.root.mkdir()
    return folder.sops("prd1", "int")


@pytest.fixture(name="url")
def _url() -> Iterator[str]:
    with serving(shop()) as url:
        yield url


def test_an_application_comes_over_whole(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 0
    out = capsys.readouterr()
    assert "6 of 6 files are equal, byte for byte" in out.err
    empty.assert_checks()
    product = empty.read("ecluse.yaml")
    assert "  prd1: {domain: prd1.localhost, protected: true}\n" in product
    assert "  int: {domain: int.localhost}\n" in product
    assert "  batch-job:\n    domain: shop\n" in product
    files = {file.path: file for file in empty.application("prd1", "web").files}
    assert set(files) == {"/etc/app/app.conf", "/etc/app/set_env.sh"}
    assert files["/etc/app/app.conf"].mode == 0o640
    text = empty.text(files["/etc/app/app.conf"].content)
    assert text.startswith(
        f"# PRD1\ndb=mysql://db.prod/app\npassword={PASSWORD}\nlevel=info\nhost a:80 in eu\n"
    )
    assert "host b:81 in WEB\nmail=mail\n" in text
    contract = empty.read("services/web/service.yaml")
    assert '  LOG_LEVEL: {default: info, description: "how much is logged"}\n' in contract
    assert "  SMTP_HOST: {required: true}\n" in contract
    assert "  HOSTS: {type: json, default: []}\n" in contract


def test_references_stay_references_and_lists_stay_lists(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(empty, url, monkeypatch=monkeypatch)
    layer = empty.read("config/environments/int/services/web.yaml")
    assert '  DB_URL: "mysql://${app.DB_HOST}/app"\n' in layer
    layer = empty.read("config/environments/prd1/services/web.yaml")
    assert '  DB_PASSWORD: "${app.DB_MAIN}"\n' in layer
    assert (
        '    - {title: one, name: a}\n    - {name: b, port: "81", zone: "${app.HESPERIDES_MODULE_PATH_0}"}\n'
        in layer
    )
    assert "DB_URL" not in layer
    assert "DB_URL" in empty.read("config/environments/prd1/domains/shop.yaml")


def test_no_password_stands_in_a_plain_file_or_in_what_is_said(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(empty, url, "--verify", "--json", monkeypatch=monkeypatch)
    bring(empty, url, "--verify", monkeypatch=monkeypatch)
    bring(empty, url, "--dry-run", monkeypatch=monkeypatch)
    out = capsys.readouterr()
    everything = b"".join(empty.files().values()) + (out.out + out.err).encode()
    for secret in (PASSWORD, "int-Passw0rd", "other-Passw0rd", "s3cret-prod"):
        assert secret.encode() not in everything
    assert b"DB_MAIN: ENC[AES256_GCM" in empty.files()["config/environments/prd1/domains/shop.sops.yaml"]
    told = json.loads(out.out[: out.out.index("\n}\n") + 2])
    assert {(entry["where"], entry["what"]) for entry in told["report"] if entry["fate"] == "secret"} >= {
        ("config/environments/prd1/domains/shop.sops.yaml: DB_MAIN", "because of db.password refers to it"),
        ("config/environments/int/services/web.sops.yaml: DB_PASSWORD", "because of @password"),
    }


def test_what_has_no_effect_or_no_place_is_told(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(empty, url, monkeypatch=monkeypatch)
    out = capsys.readouterr().out
    assert 'web in prd1: db.url: the module value "mysql://m/shadowed" gives way to the global' in out
    assert 'web in prd1: old.one: no template has it: "kept somewhere"' in out
    assert 'globals of prd1: unused.one: no module uses it: "x"' in out
    assert "web: /etc/app/set env.sh: goes to /etc/app/set_env.sh" in out
    assert "web 1.0 at #WEB: 2 files, with the templates of jvm 3" in out
    assert "db.url: is DB_URL here" in out
    assert "mysql://m/shadowed" in empty.read("imports/hesperides-shop.md")


def test_masked_passwords_are_refused(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = empty.files()
    monkeypatch.setenv("HESPERIDES_PASSWORD", "s3cret-dev")
    words = ["import", "hesperides", "--url", url, "--user", "developer", "--application", "SHOP"]
    assert empty.run(*words) == 5
    err = capsys.readouterr().err
    assert "masked for this account" in err
    assert "PRD1, web 1.0: db.password" in err
    assert "production role of SHOP" in err
    assert empty.files() == before
    assert empty.run(*words, "--platform", "int") == 0


@pytest.mark.parametrize(
    ("words", "password", "code", "said"),
    [
        (["--user", "prod-user", "--application", "SHOP"], "wrong", 5, "refuses the login"),
        (["--user", "nobody", "--application", "SHOP"], "s3cret-prod", 5, "refuses the login"),
        (["--user", "prod-user", "--application", "OTHER"], "s3cret-prod", 4, "has no /applications/OTHER"),
        (
            ["--user", "prod-user", "--application", "SHOP", "--platform", "NO"],
            "s3cret-prod",
            4,
            "known: PRD1, int",
        ),
        (["--application", "SHOP"], "s3cret-prod", 2, "--user: with which account?"),
        (["--user", "prod-user"], "s3cret-prod", 2, "from where?"),
        (
            ["--user", "prod-user", "--application", "SHOP", "--platform", "int=Big"],
            "s3cret-prod",
            2,
            "a name is made",
        ),
    ],
)
def test_what_cannot_be_read_is_told(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], password: str, code: int, said: str,
) -> None:  # fmt: skip
    before = empty.files()
    monkeypatch.setenv("HESPERIDES_PASSWORD", password)
    assert empty.run("import", "hesperides", "--url", url, *words) == code
    out = capsys.readouterr()
    assert said in out.err
    assert password not in out.err + out.out
    assert empty.files() == before


def test_a_server_that_is_not_there_is_told(
    empty: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bring(empty, "http://127.0.0.1:9", monkeypatch=monkeypatch) == 1
    assert "127.0.0.1:9 cannot be reached" in capsys.readouterr().err
    assert bring(empty, "http://me:pw@host", monkeypatch=monkeypatch) == 2
    assert "leave the login out" in capsys.readouterr().err


def test_the_case_of_names_does_not_matter_on_reading(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HESPERIDES_PASSWORD", "s3cret-prod")
    words = ["import", "hesperides", "--url", f"{url}/rest", "--user", "prod-user", "--application", "shop"]
    assert empty.run(*words, "--platform", "prd1=prd1", "--verify") == 0
    assert "domain: shop" in empty.read("ecluse.yaml")


def test_a_second_run_changes_nothing_and_keeps_what_people_wrote(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(empty, url, monkeypatch=monkeypatch)
    first = empty.files()
    assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 0
    assert empty.files() == first
    path = "services/web/templates/app.conf.j2"
    empty.write(path, empty.read(path) + "# ours\n")
    mine = empty.files()
    capsys.readouterr()
    assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 1
    out = capsys.readouterr()
    assert empty.files() == mine
    assert f"{path}: differs from the source; --overwrite replaces it" in out.out
    assert "differs  PRD1 web 1.0 default /etc/app/app.conf" in out.out
    assert "4 of 6 files are equal" in out.err
    assert bring(empty, url, "--overwrite", "--verify", monkeypatch=monkeypatch) == 0
    assert empty.files() == first


def test_a_secret_that_changed_at_the_source_is_told_and_taken_when_asked(
    empty: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hesperides = shop()
    with serving(hesperides) as url:
        bring(empty, url, monkeypatch=monkeypatch)
        hesperides.platforms["PRD1"]["globals"]["db.main"] = "another-Passw0rd"
        capsys.readouterr()
        assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 1
        out = capsys.readouterr().out
        assert "config/environments/prd1/domains/shop.sops.yaml: DB_MAIN: differs from the source" in out
        assert bring(empty, url, "--overwrite", "--verify", monkeypatch=monkeypatch) == 0


def test_a_dump_is_private_and_proves_the_same_without_the_server(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = empty.root.parent / "dumps" / "shop.json"
    dump.parent.mkdir()
    before = empty.files()
    assert bring(empty, url, "--save", dump, monkeypatch=monkeypatch) == 0
    assert empty.files() == before
    assert stat.S_IMODE(dump.stat().st_mode) == 0o600
    assert empty.run("import", "hesperides", "--dump", dump.parent, "--verify") == 0
    assert "6 of 6 files are equal" in capsys.readouterr().err
    first = empty.files()
    assert bring(empty, url, monkeypatch=monkeypatch) == 0
    assert empty.files() == first


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "it is not JSON"), ("[]", "is no dump of Hesperides"), ('{"hesperides": 1}', "is no dump of Hesperides"),
     ('{"hesperides": 1, "application": "A", "modules": [{"module": {}}], "platforms": []}', "no dump of Hesperides: 'name'")],
)  # fmt: skip
def test_a_file_that_is_no_dump_is_told(
    empty: Folder, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    file = empty.root.parent / "dump.json"
    file.write_text(text)
    assert empty.run("import", "hesperides", "--dump", file) in (2, 3)
    assert said in capsys.readouterr().err


def test_a_module_of_two_versions_has_a_template_that_knows_where_it_is(
    empty: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hesperides = Hesperides()
    old = hesperides.module("web", template("a.conf", "old {{x}}\n"), version="1.0")
    new = hesperides.module(
        "web", template("a.conf", "new {{x}} {{y}}\n"), template("b.conf", "b"), version="2.0"
    )
    hesperides.platform("PRD1", deployed(old, {"x": "1"}), production=True)
    hesperides.platform("int", deployed(new, {"x": "2", "y": "3"}))
    hesperides.platform("dev", deployed(new, {"x": "4", "y": "5"}))
    with serving(hesperides) as url:
        assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 0
    assert "web: /etc/app/a.conf: is another one in prd1" in capsys.readouterr().out
    text = empty.read("services/web/templates/a.conf.j2")
    assert (
        text == '{% if environment.name in ["prd1"] %}old {{ X }}\n{% else %}new {{ X }} {{ Y }}\n{% endif %}'
    )
    empty.assert_checks()


def test_instances_that_differ_are_services_and_those_that_do_not_are_replicas(
    empty: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hesperides = Hesperides()
    differs = hesperides.module("web", template("a", "{{id}} {{hesperides.instance.name}} {{x}}"))
    alike = hesperides.module("api", template("a", "{{x}}"))
    hesperides.platform(
        "PRD1",
        deployed(
            differs, {"id": "n-{{node}}", "x": "1"}, web01={"node": "1", "idle": "z"}, web02={"node": "2"}
        ),
        deployed(alike, {"x": "1"}, path="#API", api01={}, api02={}),
    )
    with serving(hesperides) as url:
        assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 0
    out = capsys.readouterr()
    assert "4 of 4 files are equal" in out.err
    assert {path.name for path in (empty.root / "services").iterdir()} == {"api", "web-web01", "web-web02"}
    assert "api in prd1: has 2 instances that are alike: give its process `replicas: 2`" in out.out
    assert 'web01.idle: no value asks the instance for it: "z"' in out.out
    (file,) = empty.application("prd1", "web-web02").files
    assert file.content == "n-2 web02 1"
    empty.assert_checks()


def test_a_module_in_two_places_of_a_platform_is_two_services(
    empty: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hesperides = Hesperides()
    key = hesperides.module("web", template("a", "{{x}} {{hesperides.module.path.full}}", location="/{{x}}"))
    hesperides.platform(
        "PRD1", deployed(key, {"x": "1"}, path="#FRONT"), deployed(key, {"x": "2"}, path="#BACK#OFFICE")
    )
    with serving(hesperides) as url:
        assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 0
    assert {path.name for path in (empty.root / "services").iterdir()} == {"web-front", "web-back-office"}
    (file,) = empty.application("prd1", "web-back-office").files
    assert (file.path, file.content) == ("/2/a", "2 /BACK/OFFICE")


def test_a_value_that_grows_forever_is_told_as_hesperides_does(
    empty: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hesperides = Hesperides()
    key = hesperides.module("web", template("a", "{{x}}"))
    hesperides.platform("PRD1", deployed(key, {"x": "a{{x}}"}))
    with serving(hesperides) as url:
        assert bring(empty, url, monkeypatch=monkeypatch) == 0
        assert "x goes round or grows too large" in capsys.readouterr().out
        assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 1
        assert "status 500" in capsys.readouterr().err


def test_values_that_double_again_and_again_end(empty: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    hesperides = Hesperides()
    key = hesperides.module("web", template("a", "{{x0}}"))
    values = {f"x{n}": f"{{{{x{n + 1}}}}}{{{{x{n + 1}}}}}" for n in range(40)}
    hesperides.platform("PRD1", deployed(key, {**values, "x40": "0123456789"}))
    with serving(hesperides) as url:
        assert bring(empty, url, monkeypatch=monkeypatch) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a\n{{#x}}", "template t:2: never closes x"),
        ("a\n\n{{x", "template t:3: has a tag that is never closed"),
        ("{{#x}}{{/y}}", "closes y where x is open"),
        ("{{^x}}{{/x}}", "has a {{^…}}, which Hesperides does not support"),
        ("{{>x}}", "has a {{>…}}"),
        ("{{x|@required @default 1}}", "x is @required and has a @default"),
        ("{{}}", "has an empty tag"),
    ],
)
def test_a_template_that_hesperides_would_not_read_is_told(
    empty: Folder, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    key = {"name": "web", "version": "1", "working_copy": True}
    document = {
        "hesperides": 1,
        "application": "SHOP",
        "modules": [{"module": key, "templates": [template("t", content)]}],
        "platforms": [
            {
                "platform": {
                    "platform_name": "P",
                    "modules": [{**key, "path": "#A", "properties_path": "p"}],
                },
                "globals": {},
                "properties": {"p": {}},
            }
        ],
    }
    file = empty.root.parent / "dump.json"
    file.write_text(json.dumps(document))
    before = empty.files()
    assert empty.run("import", "hesperides", "--dump", file) == 3
    assert said in capsys.readouterr().err
    assert empty.files() == before


def test_an_application_joins_a_product_that_exists(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty.write(
        "ecluse.yaml", "# ours\nproduct: comptoir\nenvironments:\n  test: {domain: test.localhost}  # first\n"
    )
    empty.write("services/web/service.yaml", "service: web\n")
    before = empty.files()
    assert bring(empty, url, monkeypatch=monkeypatch) == 5
    assert "has a service web that is not of the domain shop" in capsys.readouterr().err
    assert empty.files() == before
    assert bring(empty, url, "--prefix", "shop", "--platform", "int=test", monkeypatch=monkeypatch) == 5
    assert "`ecluse secrets init`" in capsys.readouterr().err
    empty.sops("test")
    assert (
        bring(empty, url, "--prefix", "shop", "--platform", "int=test", "--verify", monkeypatch=monkeypatch)
        == 0
    )
    product = empty.read("ecluse.yaml")
    assert product.startswith(
        "# ours\nproduct: comptoir\nenvironments:\n  test: {domain: test.localhost}  # first\n"
    )
    assert "shop-web" in product
    empty.assert_checks()


def test_a_template_that_holds_the_text_of_a_secret_is_refused(
    empty: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hesperides = Hesperides()
    key = hesperides.module("web", template("a", f"{{{{pw|@password}}}} and {PASSWORD}"))
    hesperides.platform("int", deployed(key, {"pw": PASSWORD}))
    before = empty.files()
    with serving(hesperides) as url:
        assert bring(empty, url, monkeypatch=monkeypatch) == 5
    out = capsys.readouterr()
    assert "also stands in plain in services/web/templates/a.j2" in out.err
    assert PASSWORD not in out.err + out.out
    assert empty.files() == before


def test_patterns_are_kept_where_they_mean_the_same(
    empty: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hesperides = Hesperides()
    tags = [
        r'{{a|@pattern "[a-z]+"}}',
        r'{{b|@pattern "\\p{Alpha}+"}}',
        r'{{c|@pattern "[0-9]+"}}',
        r'{{d|@pattern "(a+)+"}}',
    ]
    key = hesperides.module("web", template("a", " ".join(tags)))
    hesperides.platform("int", deployed(key, {"a": "x", "b": "x", "c": "x", "d": "aa"}))
    empty.write("ecluse.yaml", "product: comptoir\nenvironments:\n  int: {domain: int.localhost}\n")
    with serving(hesperides) as url:
        assert bring(empty, url, "--verify", monkeypatch=monkeypatch) == 0
    out = capsys.readouterr().out
    assert r"web: b: its pattern \p{Alpha}+ is none of Python's" in out
    assert "web: c: its pattern [0-9]+ does not fit every value that it has" in out
    assert "web: d: its pattern (a+)+ may take forever" in out
    assert "pattern" in empty.read("services/web/service.yaml") or "web: a:" in out
    empty.assert_checks()


SOPS = shutil.which(
    "sops",
    path=f"{os.environ.get('ECLUSE_CACHE') or Path.home() / '.cache' / 'ecluse'}/peers/bin{os.pathsep}{os.environ['PATH']}",
)


@pytest.mark.skipif(SOPS is None, reason="sops is not built: run tools/peers.sh (needs Go)")
def test_the_real_sops_reads_the_passwords_that_came_over(
    empty: Folder, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bring(empty, url, monkeypatch=monkeypatch) == 0
    assert SOPS
    file = empty.root / "config/environments/prd1/domains/shop.sops.yaml"
    done = subprocess.run([SOPS, "--decrypt", file], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == f"app:\n    DB_MAIN: {PASSWORD}\n"
