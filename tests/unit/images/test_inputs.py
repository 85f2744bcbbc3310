from collections.abc import Callable
from pathlib import Path

import pytest

from ecluse.errors import BuildFailed
from ecluse.images.inputs import context_entries, context_rules, inputs_digest
from ecluse.model.service import ImageBuild
from ecluse.model.source import Source

SourceOf = Callable[..., Source]


def test_equal_files_in_another_folder_have_the_same_digest(source_of: SourceOf, folder: Path) -> None:
    before = inputs_digest(source_of())
    moved = folder.rename(folder.with_name("elsewhere"))
    assert inputs_digest(source_of(folder=str(moved))) == before


def test_reading_twice_gives_the_same_digest(source_of: SourceOf) -> None:
    assert inputs_digest(source_of()) == inputs_digest(source_of())


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "app.py").write_text("print('other')\n"),
        lambda folder: (folder / "app.py").rename(folder / "main.py"),
        lambda folder: (folder / "app.py").chmod(0o755),
        lambda folder: (folder / "empty").mkdir(),
        lambda folder: (folder / "link").symlink_to("app.py"),
        lambda folder: (folder / "Dockerfile").write_text("FROM debian:12-slim\n"),
        lambda folder: (folder / ".dockerignore").write_text("app.py\n"),
    ],
    ids=["content", "name", "mode", "empty folder", "link", "Dockerfile", "ignored"],
)
def test_any_change_of_the_context_changes_the_digest(
    source_of: SourceOf, folder: Path, change: Callable[[Path], object]
) -> None:
    before = inputs_digest(source_of())
    change(folder)
    assert inputs_digest(source_of()) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"service_yaml": "service: hello\nuses: [db]\n"},
        {"templates": {"a.j2": "x"}},
        {"image": ImageBuild(target="other")},
    ],
    ids=["service.yaml", "templates", "target"],
)
def test_what_the_release_carries_is_part_of_its_inputs(
    source_of: SourceOf, changes: dict[str, object]
) -> None:
    assert inputs_digest(source_of(**changes)) != inputs_digest(source_of())


def test_commit_and_state_of_git_are_not_inputs(source_of: SourceOf) -> None:
    assert inputs_digest(source_of(commit="a1b2c3d", dirty=True)) == inputs_digest(source_of())


def test_ignored_files_and_git_do_not_count(source_of: SourceOf, folder: Path) -> None:
    (folder / ".dockerignore").write_text("*.log\n")
    before = inputs_digest(source_of())
    (folder / "debug.log").write_text("noise")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert inputs_digest(source_of()) == before


def test_a_file_that_comes_back_inside_an_ignored_folder_is_an_entry(
    source_of: SourceOf, folder: Path
) -> None:
    (folder / ".dockerignore").write_text("docs\n!docs/keep.md\n")
    (folder / "docs").mkdir()
    for name in ("keep.md", "other.md"):
        (folder / "docs" / name).write_text(name)
    entries = list(context_entries(folder, context_rules(source_of())))
    assert entries == [".dockerignore", "Dockerfile", "app.py", "docs/keep.md"]


def test_the_ignore_file_of_the_dockerfile_wins(source_of: SourceOf, folder: Path) -> None:
    (folder / ".dockerignore").write_text("app.py\n")
    (folder / "Dockerfile.dockerignore").write_text("Dockerfile*\n.dockerignore\n")
    assert list(context_entries(folder, context_rules(source_of()))) == ["app.py"]


def test_a_missing_dockerfile_says_where_it_should_be(source_of: SourceOf, folder: Path) -> None:
    (folder / "Dockerfile").unlink()
    with pytest.raises(BuildFailed) as caught:
        inputs_digest(source_of())
    assert caught.value.message == f"hello: {folder}/Dockerfile cannot be read: No such file or directory"


def test_a_context_that_is_not_there_is_named(source_of: SourceOf, folder: Path) -> None:
    with pytest.raises(BuildFailed) as caught:
        inputs_digest(source_of(image=ImageBuild(context="src")))
    assert caught.value.message == f"hello: {folder}/src cannot be read: No such file or directory"
