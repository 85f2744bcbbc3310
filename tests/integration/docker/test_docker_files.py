"""Every shape of file arrives in a container as it was meant: place, content, owner and mode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from docker_site import Here, docker
from making import VAULT

from ecluse.model.secret import Sealed
from tests.unit.config.product_folder import ACCOUNTING, PRODUCT, ProductFolder

pytestmark = pytest.mark.docker
CONTRACT = """
HOST: {default: mail.example.fr}
NOTE: {default: "it's = #1 é"}
TOKEN: {secret: true}
"""
DELIVERED = """
deliver:
  - env
  - {path: /config/a.env, format: env, owner: www-data, mode: "0400"}
  - {path: /config/a.json, format: json, owner: "www-data:root", mode: "0440"}
  - {path: /config/a.yaml, format: yaml, mode: "0444"}
  - {path: /config/deep/er/a.properties, format: properties}
  - {path: /config/a.ini, format: ini, section: mail, owner: root}
  - {path: /config/a.xml, format: xml, owner: "1234:5678", mode: "0600"}
files:
  /etc/a.conf: {template: a.conf.j2, owner: www-data, mode: "0640"}
"""
TEMPLATE = "host {{ HOST }}\nurl {{ service.accounting.url }}\ntoken {{ TOKEN }}\n"


async def test_files_of_every_format_arrive_with_their_owner_and_mode(here: Here, tmp_path: Path) -> None:
    product = ProductFolder(tmp_path / "product", secrets={"TOKEN": "hunter2"}, vault=VAULT)
    product.write("ecluse.yaml", PRODUCT).write("services/accounting/service.yaml", ACCOUNTING)
    product.invoicing(config=CONTRACT, more=DELIVERED).write("services/invoicing/a.conf.j2", TEMPLATE)
    files = product.application().files
    assert all(isinstance(file.content, Sealed) for file in files)
    workload = here.make.web()
    await here.deploy(replace(workload, box=replace(workload.box, files=files)))
    (replica,) = await here.replicas()
    found = docker(
        "exec", "-u", "0", replica.id, "stat", "-c", "%n %U:%G %u:%g %a", *(file.path for file in files)
    )
    facts = {line.split()[0]: line.split()[1:] for line in found.splitlines()}
    user = docker("exec", replica.id, "id", "-u").strip()
    assert {path: words[2] for path, words in facts.items()} == {
        "/config/a.env": "400", "/config/a.json": "440", "/config/a.yaml": "444", "/config/deep/er/a.properties": "440",
        "/config/a.ini": "440", "/config/a.xml": "600", "/etc/a.conf": "640",
    }  # fmt: skip
    assert facts["/config/a.env"][0] == "www-data:www-data"
    assert facts["/config/a.json"][0] == "www-data:root"
    assert facts["/config/a.ini"][0] == "root:root"
    assert facts["/config/a.xml"][1] == "1234:5678"
    assert facts["/config/a.yaml"][1].split(":")[0] == user
    for file in files:
        assert docker("exec", "-u", "0", replica.id, "cat", file.path) == product.text(file.content), (
            file.path
        )
    assert "hunter2" not in docker("inspect", replica.id)
