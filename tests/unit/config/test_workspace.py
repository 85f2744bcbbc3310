from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecluse.config.load import load
from ecluse.config.workspace import SourceFacts, lock_file, open_workspace, write_lock
from ecluse.errors import ConfigInvalid, Location, NotFound, Refused
from ecluse.model.names import EnvironmentName, ProductName, ServiceName
from tests.unit.config.product_folder import ProductFolder

INVOICING = ServiceName("invoicing")
FILE = "services/invoicing/service.yaml"


def test_a_folder_without_a_product_says_how_to_begin(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(NotFound) as raised:
            open_workspace(root)
        assert raised.value.message == f"no ecluse.yaml in {root}"
        assert raised.value.hint == "`ecluse init` writes one"


def test_the_files_of_the_product_are_read_and_no_other(product: ProductFolder) -> None:
    product.invoicing(more="files: {/x: {template: t/x.j2}}\n").layer("environments/test/common", "app: {}")
    product.write("services/invoicing/t/x.j2", "x").write("services/invoicing/src/secret.py", "x")
    product.write("services/readme.txt", "x").write("config/README.md", "x").write("config/.hidden.yaml", "x")
    product.write("environments/test.lock.yaml", "x")
    assert sorted(open_workspace(product.root).texts) == [
        "config/environments/test/common.yaml",
        "ecluse.yaml",
        "environments/test.lock.yaml",
        "services/accounting/service.yaml",
        FILE,
        "services/invoicing/t/x.j2",
    ]


class TestRevision:
    def test_without_git_the_revision_is_a_hash_of_the_files(self, product: ProductFolder) -> None:
        first = open_workspace(product.root)
        assert (first.dirty, first.git, first.revision[:5]) == (True, None, "tree:")
        assert open_workspace(product.root).revision == first.revision
        product.layer("common", "app: {}")
        assert open_workspace(product.root).revision != first.revision

    def test_a_clean_tree_has_the_revision_of_its_commit(self, product: ProductFolder) -> None:
        commit = product.commit()
        workspace = open_workspace(product.root)
        assert (workspace.revision, workspace.dirty) == (commit, False)

    @pytest.mark.parametrize("change", ["changed", "new", "ignored", "removed", "staged", "moved"])
    def test_a_tree_that_differs_has_a_revision_of_its_own(self, product: ProductFolder, change: str) -> None:
        product.layer("common", "app: {}").write(".gitignore", "config/domains/\n").commit()
        match change:
            case "changed" | "staged":
                product.layer("common", "app: {A: b}")
                if change == "staged":
                    product.git("add", "--all")
            case "new":
                product.layer("services/invoicing", "app: {}")
            case "ignored":
                product.layer("domains/billing", "app: {}")
            case "moved":
                product.git("mv", "config/common.yaml", "elsewhere")
            case "removed":
                (product.root / "config/common.yaml").unlink()
        workspace = open_workspace(product.root)
        assert workspace.dirty
        assert workspace.revision.startswith("tree:")

    def test_code_and_lockfiles_are_no_configuration(self, product: ProductFolder) -> None:
        product.write("services/invoicing/main.py", "x").write("environments/test.lock.yaml", "x").commit()
        product.write("services/invoicing/main.py", "y").write("environments/test.lock.yaml", "y")
        assert not open_workspace(product.root).dirty

    def test_a_repository_without_a_commit_has_none(self, product: ProductFolder) -> None:
        product.git("init", "--quiet")
        workspace = open_workspace(product.root)
        assert (workspace.dirty, workspace.revision[:5]) == (True, "tree:")
        assert workspace.source_facts(INVOICING) == SourceFacts(None, is_dirty=True)

    def test_a_product_in_a_folder_of_a_repository_works_alike(self, tmp_path: Path) -> None:
        folder = ProductFolder(tmp_path / "deep" / "er")
        folder.write("ecluse.yaml", "product: x\n").write("services/a/service.yaml", "service: a\n")
        outer = ProductFolder(tmp_path).write("README", "x")
        commit = outer.commit()
        assert open_workspace(folder.root).revision == commit
        outer.write("README", "y")
        assert not open_workspace(folder.root).dirty
        assert sorted(open_workspace(folder.root, "HEAD").texts) == ["ecluse.yaml", "services/a/service.yaml"]
        folder.write("ecluse.yaml", "product: y\n")
        assert open_workspace(folder.root).dirty

    def test_a_hook_of_another_repository_does_not_lead_astray(
        self, product: ProductFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        commit = product.commit()
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
        assert open_workspace(product.root).revision == commit


class TestAtARevision:
    def test_files_are_those_of_the_commit(self, product: ProductFolder) -> None:
        product.invoicing(config="OLD: {}", more="files: {/x: {template: é.j2}}\n")
        product.write("services/invoicing/é.j2", "old\n").layer("common", "app: {OLD: x}")
        first = product.commit()
        product.invoicing(config="NEW: {}").write("services/invoicing/é.j2", "new\n").layer(
            "common", "app: {}"
        )
        product.commit()
        workspace = open_workspace(product.root, first[:10])
        configuration = load(workspace)
        assert (workspace.revision, workspace.dirty) == (first, False)
        assert list(configuration.services[INVOICING].config) == ["OLD"]
        assert configuration.templates[INVOICING] == {"é.j2": "old\n"}

    def test_the_working_tree_does_not_count(self, product: ProductFolder) -> None:
        product.commit()
        product.write("ecluse.yaml", "broken: [")
        assert open_workspace(product.root, "HEAD").problems == ()

    @pytest.mark.parametrize("revision", ["nothing", "--help", "", "HEAD:ecluse.yaml", "a\nb"])
    def test_a_revision_that_is_not_there_is_not_found(self, product: ProductFolder, revision: str) -> None:
        product.commit()
        with pytest.raises(NotFound, match="git knows no revision"):
            open_workspace(product.root, revision)

    def test_without_git_there_is_no_revision(self, product: ProductFolder) -> None:
        with pytest.raises(NotFound, match="is not in a git repository"):
            open_workspace(product.root, "HEAD")

    def test_a_commit_before_the_product_has_none(self, product: ProductFolder) -> None:
        (product.root / "ecluse.yaml").rename(product.root / "kept")
        product.commit()
        with pytest.raises(NotFound, match=r"no ecluse.yaml in"):
            open_workspace(product.root, "HEAD")

    def test_a_link_is_a_problem(self, product: ProductFolder) -> None:
        (product.root / "config").mkdir()
        (product.root / "config/common.yaml").symlink_to("../ecluse.yaml")
        product.commit()
        (problem,) = open_workspace(product.root, "HEAD").problems
        assert str(problem) == (
            "config/common.yaml: is a symbolic link, which cannot be followed at a revision"
        )


class TestUnreadable:
    @pytest.mark.parametrize(
        ("target", "problem"),
        [
            ("common.yaml", "cannot be read: too many levels of symbolic links"),
            ("nothing.yaml", "is a link to nothing"),
            ("/etc/hostname", "is a link that leads out of the product"),
        ],
    )
    def test_a_link_that_gives_no_text_is_a_problem(
        self, product: ProductFolder, target: str, problem: str
    ) -> None:
        (product.root / "config").mkdir()
        (product.root / "config/common.yaml").symlink_to(target)
        assert product.problems() == f"config/common.yaml: {problem}"

    def test_a_link_inside_of_the_product_is_followed(self, product: ProductFolder) -> None:
        product.invoicing(config="KEY: {}").layer("environments/test/common", "app: {KEY: x}")
        (product.root / "config/environments/prod").mkdir()
        (product.root / "config/environments/prod/common.yaml").symlink_to("../test/common.yaml")
        assert product.values("prod") == {"KEY": "x"}

    def test_a_loop_of_folders_ends(self, product: ProductFolder) -> None:
        (product.root / "config/environments").mkdir(parents=True)
        (product.root / "config/environments/loop").symlink_to("..")
        (product.root / "services/loop").symlink_to(".")
        assert product.problems() == ""

    def test_a_pipe_is_not_waited_for(self, product: ProductFolder) -> None:
        (product.root / "config").mkdir()
        os.mkfifo(product.root / "config/common.yaml")
        assert product.problems() == "config/common.yaml: is not a file"

    def test_a_folder_in_the_place_of_a_file_is_a_problem(self, product: ProductFolder) -> None:
        (product.root / FILE).unlink()
        (product.root / FILE).mkdir()
        assert product.problems() == f"{FILE}: is not a file"

    def test_bytes_that_are_no_text_are_told_with_their_line(self, product: ProductFolder) -> None:
        product.layer("common", "x")
        (product.root / "config/common.yaml").write_bytes(b"app: {}\n# caf\xe9\n")
        assert product.problems() == "config/common.yaml:2: is not UTF-8\n  hint: save the file as UTF-8"

    def test_an_unreadable_product_file_is_a_problem_too(self, product: ProductFolder) -> None:
        (product.root / "ecluse.yaml").write_bytes(b"\xff\xfe")
        with pytest.raises(ConfigInvalid) as raised:
            product.load()
        assert [str(one) for one in raised.value.problems] == [
            "ecluse.yaml:1: is not UTF-8\n  hint: save the file as UTF-8"
        ]

    def test_a_huge_file_is_refused(self, product: ProductFolder) -> None:
        product.layer("common", "#" * 2_000_000)
        assert product.problems() == "config/common.yaml: is longer than 1048576 characters"


class TestSource:
    def test_a_source_knows_its_commit_and_whether_it_differs(self, product: ProductFolder) -> None:
        product.invoicing(more="files: {/x: {template: x.j2}}\n").write("services/invoicing/x.j2", "x")
        product.commit()
        touched = product.git("rev-parse", "--short", "HEAD")
        product.write("services/accounting/main.py", "x").commit()
        workspace = open_workspace(product.root)
        source = workspace.source(ProductName("comptoir"), INVOICING, load(workspace).services[INVOICING])
        assert source.folder == str(product.root / "services/invoicing")
        assert (source.commit, source.dirty) == (touched, False)
        assert source.service_yaml == (product.root / FILE).read_text()
        assert source.templates == {"x.j2": "x"}
        product.write("services/invoicing/main.py", "new")
        assert workspace.source_facts(INVOICING) == SourceFacts(touched, is_dirty=True)

    def test_ignored_files_do_not_make_a_folder_dirty(self, product: ProductFolder) -> None:
        product.write(".gitignore", "*.pyc\n").commit()
        product.write("services/invoicing/main.pyc", "x")
        assert not open_workspace(product.root).source_facts(INVOICING).is_dirty

    def test_images_are_not_built_from_another_revision(self, product: ProductFolder) -> None:
        product.commit()
        workspace = open_workspace(product.root, "HEAD")
        with pytest.raises(Refused, match="images are built from the working tree"):
            workspace.source(ProductName("comptoir"), INVOICING, load(workspace).services[INVOICING])


def test_a_line_knows_its_commit(product: ProductFolder) -> None:
    commit = product.commit()
    product.write("ecluse.yaml", (product.root / "ecluse.yaml").read_text().replace("redis", "s3"))
    workspace = open_workspace(product.root)
    assert workspace.commit_of(Location("ecluse.yaml", 1)) == commit[:8]
    assert workspace.commit_of(Location("ecluse.yaml", 10)) is None
    assert workspace.commit_of(Location("ecluse.yaml", 99)) is None
    assert workspace.commit_of(Location("elsewhere", 1)) is None
    assert open_workspace(product.root, "HEAD").commit_of(Location("ecluse.yaml", 10)) == commit[:8]


def test_a_lockfile_is_replaced_at_once(product: ProductFolder) -> None:
    test = EnvironmentName("test")
    for text in ("one\n", "two\n"):
        assert write_lock(product.root, test, text) == product.root / lock_file(test)
        assert open_workspace(product.root).lock_text(test) == text
    assert [path.name for path in (product.root / "environments").iterdir()] == ["test.lock.yaml"]
