from __future__ import annotations

import pytest

from ecluse.config.lockfile import Locked, lock_text, read_lock
from ecluse.errors import ConfigInvalid
from ecluse.model.names import EnvironmentName, ServiceName

TEST = EnvironmentName("test")
LOCKED = {
    ServiceName("invoicing"): Locked("1.10", "sha256:beef", "abc1234", "0" * 40, {"B": "2", "A": "1e3"}),
    ServiceName("accounting"): Locked("2", "sha256:cafe", None, "tree:12", {}),
}
TEXT = """\
# written by ecluse
environment: test
services:
  accounting:
    version: "2"
    image: "sha256:cafe"
    revision: "tree:12"
  invoicing:
    version: "1.10"
    image: "sha256:beef"
    commit: "abc1234"
    revision: "0000000000000000000000000000000000000000"
    secrets:
      "A": "1e3"
      "B": "2"
"""


def test_the_same_content_is_the_same_text() -> None:
    assert lock_text(TEST, LOCKED) == TEXT
    assert lock_text(TEST, dict(reversed(LOCKED.items()))) == TEXT


def test_what_was_written_is_read_back() -> None:
    assert read_lock(TEXT, "test.lock.yaml") == LOCKED
    assert read_lock(lock_text(TEST, {}), "test.lock.yaml") == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "l.yaml: must be a map"),
        ("services: {}\n", "l.yaml:1: environment must be given"),
        (TEXT.replace('"2"\n', "2\n", 1), "l.yaml:5: services.accounting.version: must be text\n  hint: quote it"),
        (TEXT.replace("image", "imge", 1), "l.yaml:4: services.accounting: image must be given\n"
         "l.yaml:6: services.accounting.imge: unknown key\n  hint: did you mean image?"),
        (TEXT.replace("accounting:", "accounting: [", 1), "l.yaml:4: is not YAML: did not find expected ',' or ']'\n"
         "  hint: close the list with ]"),
        ("<<<<<<< HEAD\n" + TEXT, "l.yaml:1: has an unresolved merge conflict\n  hint: choose a side"),
    ],
)  # fmt: skip
def test_bad_content_is_told(text: str, problem: str) -> None:
    with pytest.raises(ConfigInvalid) as raised:
        read_lock(text, "l.yaml")
    assert "\n".join(map(str, raised.value.problems)) == problem
