import subprocess
from pathlib import Path

import pytest

from ecluse.images.commit import read_commit


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    _git(tmp_path, "init", "-q")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
        _git(tmp_path, "add", "-A")
        _git(tmp_path, "commit", "-qm", name)
    return tmp_path


def test_a_folder_is_at_the_last_commit_that_touched_it(repository: Path) -> None:
    first = _git(repository, "rev-list", "--max-parents=0", "HEAD")
    commit, dirty = read_commit(repository / "a")
    assert commit is not None
    assert (first.startswith(commit), dirty) == (True, False)


def test_changes_elsewhere_leave_a_folder_clean(repository: Path) -> None:
    (repository / "b" / "file").write_text("changed")
    assert read_commit(repository / "a")[1] is False
    assert read_commit(repository / "b")[1] is True


def test_a_new_file_makes_a_folder_dirty(repository: Path) -> None:
    (repository / "a" / "new").write_text("x")
    assert read_commit(repository / "a")[1] is True


def test_a_folder_that_was_never_committed_has_no_commit(repository: Path) -> None:
    (repository / "c").mkdir()
    (repository / "c" / "file").write_text("x")
    assert read_commit(repository / "c") == (None, True)


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    assert read_commit(tmp_path) == (None, False)
