from __future__ import annotations

import textwrap

import pytest

from ecluse.config.service import read_service
from ecluse.errors import ConfigInvalid
from ecluse.model.service import (
    ContractKey,
    Cron,
    Delivery,
    Exposure,
    ImageBuild,
    ImageTests,
    Introduction,
    Probe,
    Process,
    SettingsFile,
    Task,
    TemplateFile,
    Websockets,
)


def read(text: str):
    return read_service(textwrap.dedent(text).lstrip("\n"), "service.yaml")


def told(text: str) -> str:
    with pytest.raises(ConfigInvalid) as raised:
        read(text)
    return "\n".join(map(str, raised.value.problems))


def test_the_service_of_the_design_is_read() -> None:
    spec = read("""
        service: invoicing
        image: {dockerfile: Dockerfile, target: production, tests: {target: test, commands: [[vendor/bin/phpunit]]}}
        processes:
          web: {port: 8080, probe: {path: /health}, cpu: 100m, memory: 128Mi, expose: {host: invoicing}}
          worker: {command: [php, bin/worker.php], drain: 1m}
        tasks:
          migrate: {command: [php, bin/migrate.php], when: before, reversible: false, timeout: 5m}
        crons:
          reminders: {schedule: "0 6 * * 1-5", timezone: Europe/Paris, command: [php, bin/reminders.php]}
        uses: [accounting, db, "https://api.example.fr"]
        config:
          DATABASE_URL: {type: url, default: "${backing.db.url}"}
          LEVEL: {choices: [debug, info], default: info}
          NOTE:
          SMTP_PASSWORD: {secret: true, required: true}
        deliver: [env, {path: /var/www/.env, format: env, mode: "0400", owner: www-data}]
        files:
          /config/ldap.conf: {template: ldap.conf.j2}
    """)
    assert spec.image == ImageBuild(
        "Dockerfile", ".", "production", ImageTests("test", (("vendor/bin/phpunit",),))
    )
    assert spec.processes == {
        "web": Process(
            "web",
            port=8080,
            probe=Probe(path="/health"),
            cpu=100,
            memory=134_217_728,
            expose=Exposure("invoicing"),
        ),
        "worker": Process("worker", command=("php", "bin/worker.php"), drain=60.0, stop_grace=70.0),
    }
    assert spec.tasks == {
        "migrate": Task("migrate", ("php", "bin/migrate.php"), "before", reversible=False, timeout=300.0)
    }
    assert spec.crons == {
        "reminders": Cron("reminders", "0 6 * * 1-5", ("php", "bin/reminders.php"), "Europe/Paris")
    }
    assert (spec.uses, spec.external) == (("accounting", "db"), ("https://api.example.fr",))
    assert spec.config["LEVEL"] == ContractKey("LEVEL", "choice", "info", choices=("debug", "info"))
    assert spec.config["NOTE"] == ContractKey("NOTE")
    assert spec.deliver == Delivery(
        env=True, files=(SettingsFile("/var/www/.env", "env", 0o400, "www-data"),)
    )
    assert spec.files == (TemplateFile("/config/ldap.conf", "ldap.conf.j2"),)


def test_a_service_needs_its_name_only() -> None:
    spec = read("service: web\n")
    assert (spec.processes, spec.deliver, spec.image) == ({}, Delivery(), ImageBuild())


def test_a_settings_file_alone_leaves_the_variables_out() -> None:
    assert read("service: web\ndeliver: {path: /x.json, format: json}\n").deliver == Delivery(
        env=False, files=(SettingsFile("/x.json", "json"),)
    )


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("procesess: {}", "service.yaml:2: procesess: unknown key\n  hint: did you mean processes?"),
        ("processes: []", "service.yaml:2: processes: must be a map"),
        ("processes: {Web: {}}", "service.yaml:2: processes.Web: a name is made of a-z, 0-9 and -, begins with a "
         "letter and ends with a letter or digit"),
        ("processes: {crons: {}}", "service.yaml:2: processes.crons: crons is a reserved name"),
        ("processes: {common: {}}", "service.yaml:2: processes.common: common is a reserved name"),
        ("processes: {web: {prot: 80}}", "service.yaml:2: processes.web.prot: unknown key\n  hint: did you mean port?"),
        ("processes: {web: {port: '80'}}", "service.yaml:2: processes.web.port: must be an integer\n"
         "  hint: remove the quotes"),
        ("processes: {web: {port: 0}}", "service.yaml:2: processes.web.port: must be at least 1"),
        ("processes: {web: {cpu: fast}}", "service.yaml:2: processes.web.cpu: must be a number of cores like 100m, "
         "0.5 or 2"),
        ("processes: {web: {memory: 128}}", "service.yaml:2: processes.web.memory: must be a size like 128Mi, 1Gi or "
         "500M"),
        ("processes: {web: {drain: 30}}", "service.yaml:2: processes.web.drain: must be a duration like 30s, 5m or "
         "1h30m"),
        ("processes: {web: {drain: 30s, stop_grace: 20s}}", "service.yaml:2: processes.web.stop_grace: must be longer "
         "than drain\n  hint: stopping begins while the last requests drain"),
        ("processes: {web: {command: php -S}}", "service.yaml:2: processes.web.command: must be a list of texts\n"
         "  hint: write [php, -S]"),
        ("processes: {web: {command: 'a && b'}}", "service.yaml:2: processes.web.command: must be a list of texts\n"
         '  hint: write [sh, -c, "a && b"]'),
        ("processes: {web: {command: []}}", "service.yaml:2: processes.web.command: must name a program"),
        ("processes: {web: {expose: {host: x}}}", "service.yaml:2: processes.web.expose: needs a port\n"
         "  hint: give the process its `port:`"),
        ("processes: {web: {port: 80, expose: {host: a_b}}}", "service.yaml:2: processes.web.expose.host: must be a "
         "host name"),
        ("processes: {web: {port: 80, probe: {path: health}}}", "service.yaml:2: processes.web.probe.path: must be a "
         "path that begins with /"),
        ("processes: {web: {port: 80, probe: {path: /, command: [x]}}}", "service.yaml:2: processes.web.probe: has "
         "both a path and a command\n  hint: keep one; `path: null` removes it"),
        ("tasks: {migrate: {}}", "service.yaml:2: tasks.migrate: command must be given"),
        ("tasks: {migrate: {command: [x], when: during}}", "service.yaml:2: tasks.migrate.when: must be one of before, "
         "after, manual"),
        ("crons: {c: {schedule: daily, command: [x]}}", "service.yaml:2: crons.c.schedule: must be a schedule of five "
         'fields (minute hour day month weekday)\n  hint: for instance "0 6 * * 1-5"'),
        ("crons: {c: {schedule: '61 * * * *', command: [x]}}", "service.yaml:2: crons.c.schedule: must be a schedule "
         'of five fields (minute hour day month weekday)\n  hint: for instance "0 6 * * 1-5"'),
        ("crons: {c: {schedule: '* * * * *', command: [x], timezone: Paris}}", "service.yaml:2: crons.c.timezone: must "
         "be a time zone of the IANA list\n  hint: for instance Europe/Paris"),
        ("processes: {a: {}}\ntasks: {a: {command: [x]}}", "service.yaml:3: tasks.a: shares its name with processes.a"),
        ("uses: db", "service.yaml:2: uses: must be a list"),
        ("uses: [db, db]", "service.yaml:2: uses.1: db is listed twice"),
        ("uses: [web]", "service.yaml:2: uses.0: a service does not use itself"),
        ("uses: ['https://']", "service.yaml:2: uses.0: must be a name, or an address like https://example.fr"),
        ("config: {key: {}}", "service.yaml:2: config.key: a key is made of A-Z, 0-9 and _ and begins with a letter"),
        ("config: {KEY: {type: int}}", "service.yaml:2: config.KEY.type: must be one of string, integer, number, "
         "boolean, url, email, duration, size, choice, list, json"),
        ("config: {KEY: {type: integer, default: '1'}}", "service.yaml:2: config.KEY.default: must be an integer\n"
         "  hint: remove the quotes"),
        ("config: {KEY: {type: choice}}", "service.yaml:2: config.KEY: choices and `type: choice` go together"),
        ("config: {KEY: {choices: [1]}}", "service.yaml:2: config.KEY.choices.0: must be text\n  hint: quote it"),
        ("config: {KEY: {pattern: '('}}", "service.yaml:2: config.KEY.pattern: is not a regular expression: missing ), "
         "unterminated subpattern at position 0"),
        ("config: {KEY: {required_when: KEX}}", "service.yaml:2: config.KEY.required_when: no key is named KEX\n"
         "  hint: did you mean KEY?"),
        ("config: {KEY: {required_when: ON}, ON: {}}", "service.yaml:2: config.KEY.required_when: ON is not a boolean"),
        ("config: {KEY: {secret: true, default: hunter2}}", "service.yaml:2: config.KEY.default: a secret has no "
         "default in a plain file\n  hint: encrypt it with `ecluse secrets set`, or give it in a private file: `--secrets FILE`"),
        ("deliver: file", "service.yaml:2: deliver: must be env or a file {path: …, format: …}"),
        ("deliver: {path: x, format: env}", "service.yaml:2: deliver.path: must be an absolute path in the "
         "container"),
        ("deliver: {path: /x, format: toml}", "service.yaml:2: deliver.format: must be one of env, json, yaml, "
         "properties, ini, xml"),
        ("deliver: {path: /x, format: xml, section: a}", "service.yaml:2: deliver.section: belongs to the format ini"),
        ("deliver: {path: /x, format: ini, section: ''}", "service.yaml:2: deliver.section: must be letters, digits, "
         "dots, dashes and blanks"),
        ("config: {OLD: {replaced_by: NWE}, NEW: {}}", "service.yaml:2: config.OLD.replaced_by: no other key is named NWE\n"
         "  hint: did you mean NEW?"),
        ("deliver: [{path: /x, format: env}, {path: /x, format: json}]", "service.yaml:2: deliver.1: /x is delivered "
         "twice"),
        ("files: {/x: {template: ../x}}", "service.yaml:2: files./x.template: must be a path inside the folder"),
        ("files: {/../x: {template: x}}", "service.yaml:2: files./../x: must be a path without . and .."),
        ("files: {/x: {template: x, mode: 0440}}", 'service.yaml:2: files./x.mode: must be a quoted mode like "0440"\n'
         "  hint: quote it, with the leading zero"),
        ("image: {dockerfile: /Dockerfile}", "service.yaml:2: image.dockerfile: must be a path inside the folder"),
        ("image: {tests: {target: test, commands: []}}", "service.yaml:2: image.tests.commands: must not be empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(lines: str, problem: str) -> None:
    assert told(f"service: web\n{lines}\n") == problem


def test_root_names_no_service_because_databases_have_it() -> None:
    assert told("service: root\n") == "service.yaml:1: service: root is a reserved name"


def test_a_file_that_is_no_map_says_so() -> None:
    assert told("- a\n") == "service.yaml:1: must be a map"
    assert told("") == "service.yaml: must be a map"


def test_all_problems_come_at_once_in_the_order_of_lines() -> None:
    problems = told("""
        service: Web
        processes: {web: {port: x}}
        prot: 1
        prot: 2
    """)
    assert [line.split(":")[1] for line in problems.splitlines() if line.startswith("service.yaml")] == list(
        "1234"
    )


def test_how_a_release_comes_and_websockets_leave_is_read() -> None:
    spec = read("""
        service: chat
        processes:
          web:
            port: 8080
            rollout: {steps: [10%, 50%], observe: 1m}
            websockets: {grace: 45s}
          admin: {port: 8081, rollout: {judge: false}}
    """)
    assert spec.processes["web"].rollout == Introduction((0.1, 0.5), 60.0)
    assert spec.processes["web"].websockets == Websockets(45.0)
    assert spec.processes["admin"].rollout == Introduction(judge=False)
    assert spec.processes["admin"].websockets == Websockets(10.0)
