from pathlib import Path

import pytest
import yaml

from ecluse.errors import ConfigInvalid, NotFound, Refused, UsageError
from ecluse.images.lint import lint_dockerfile
from ecluse.scaffold.init import init_product, init_service
from ecluse.scaffold.template import KINDS


def _files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_product_begins_with_these_files(tmp_path: Path) -> None:
    created = init_product(tmp_path, "atelier")
    assert list(created.files) == sorted(_files(tmp_path))
    assert created.files == (
        ".gitignore",
        "README.md",
        "config/common.yaml",
        "config/environments/prod/common.yaml",
        "config/environments/test/common.yaml",
        "ecluse.yaml",
        "services/hello/.dockerignore",
        "services/hello/Dockerfile",
        "services/hello/app.py",
        "services/hello/gunicorn.conf.py",
        "services/hello/service.yaml",
        "services/hello/tests/test_app.py",
    )


def test_the_product_file_says_how_prod_follows_test(tmp_path: Path) -> None:
    init_product(tmp_path, "atelier")
    assert yaml.safe_load((tmp_path / "ecluse.yaml").read_text()) == {
        "product": "atelier",
        "services": {"hello": {"domain": "first"}},
        "environments": {
            "test": {"engine": "docker", "domain": "test.localhost"},
            "prod": {"engine": "docker", "domain": "prod.localhost", "follows": ["test"], "protected": True},
        },
    }


def test_outside_git_the_first_thing_to_do_is_a_repository(tmp_path: Path) -> None:
    assert init_product(tmp_path / "new", "atelier").next == (
        "git init",
        "git add -A && git commit -m 'Start the product'",
        "ecluse doctor",
        "ecluse build hello",
        "ecluse deploy test hello",
    )
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    assert "git init" not in init_product(tmp_path / "repository", "atelier").next


def test_what_a_repository_has_already_stays(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours")
    created = init_product(tmp_path, "atelier")
    assert created.kept == ("README.md",)
    assert "README.md" not in created.files
    assert (tmp_path / "README.md").read_text() == "ours"


def test_nothing_is_replaced_and_nothing_is_half_written(tmp_path: Path) -> None:
    (tmp_path / "services" / "hello").mkdir(parents=True)
    (tmp_path / "services" / "hello" / "Dockerfile").write_text("ours")
    (tmp_path / "config").write_text("a file where a folder must be")
    before = _files(tmp_path)
    with pytest.raises(Refused) as caught:
        init_product(tmp_path, "atelier")
    assert caught.value.message == (
        f"{tmp_path}: nothing was written, these exist already:\n  config\n  services/hello/Dockerfile"
    )
    assert _files(tmp_path) == before


def test_a_product_is_started_once(tmp_path: Path) -> None:
    init_product(tmp_path, "atelier")
    with pytest.raises(Refused, match="is a product already"):
        init_product(tmp_path, "other")


@pytest.mark.parametrize("name", ["", "Atelier", "1st", "a_b", "services", "a" * 41, "../up"])
def test_a_name_that_dns_refuses_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        init_product(tmp_path, name)
    assert _files(tmp_path) == {}


@pytest.mark.parametrize("like", KINDS)
def test_each_kind_of_service_is_complete(tmp_path: Path, like: str) -> None:
    init_product(tmp_path, "atelier")
    created = init_service(tmp_path, "second", like)
    folder = tmp_path / "services" / "second"
    spec = yaml.safe_load((folder / "service.yaml").read_text())
    assert spec["service"] == "second"
    assert spec["processes"]["web"]["port"] == 8080
    assert spec["image"]["tests"]["target"] == "test"
    assert lint_dockerfile((folder / "Dockerfile").read_text(), "Dockerfile") == ()
    assert "services/second/.dockerignore" in created.files
    assert not any("{{service}}" in text or "{{product}}" in text for text in _files(tmp_path).values())


def test_a_front_has_an_entrypoint_that_can_be_executed(tmp_path: Path) -> None:
    init_product(tmp_path, "atelier")
    init_service(tmp_path, "pages", "front")
    assert (tmp_path / "services/pages/entrypoint.sh").stat().st_mode & 0o777 == 0o755


def test_a_domain_is_registered_and_comments_stay(tmp_path: Path) -> None:
    init_product(tmp_path, "atelier")
    before = (tmp_path / "ecluse.yaml").read_text()
    init_service(tmp_path, "payroll", "php-apache", domain="wages")
    after = (tmp_path / "ecluse.yaml").read_text()
    assert after == before.replace(
        "  hello: {domain: first}\n", "  hello: {domain: first}\n  payroll: {domain: wages}\n"
    )


def test_a_domain_is_registered_where_no_service_was_listed(tmp_path: Path) -> None:
    (tmp_path / "ecluse.yaml").write_text("product: atelier # ours\nenvironments: {}\n")
    init_service(tmp_path, "payroll", "python", domain="wages")
    assert (tmp_path / "ecluse.yaml").read_text() == (
        "product: atelier # ours\nservices:\n  payroll: {domain: wages}\nenvironments: {}\n"
    )


def test_a_service_needs_a_product(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        init_service(tmp_path, "payroll", "python")
    assert caught.value.hint == "ecluse init starts a product"


def test_a_service_cannot_take_the_name_of_a_backing_service(tmp_path: Path) -> None:
    (tmp_path / "ecluse.yaml").write_text("product: atelier\nbacking: {db: {kind: redis}}\n")
    with pytest.raises(Refused, match="has a backing service called db already"):
        init_service(tmp_path, "db", "python")


def test_a_product_file_that_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "ecluse.yaml").write_text("product: atelier\nservices: {a: [}\n")
    with pytest.raises(ConfigInvalid, match=r"ecluse\.yaml:2: "):
        init_service(tmp_path, "payroll", "python")


def test_an_unknown_kind_gets_the_nearest_name(tmp_path: Path) -> None:
    init_product(tmp_path, "atelier")
    with pytest.raises(UsageError) as caught:
        init_service(tmp_path, "payroll", "phython")
    assert caught.value.hint == "did you mean python?"
