"""The same text read by us and by Docker Compose's own module: the same values."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.importers.dotenv import read_env

CACHE = Path(os.environ.get("ECLUSE_CACHE") or Path.home() / ".cache" / "ecluse")
PROGRAM = shutil.which("compose-env", path=str(CACHE / "peers" / "bin"))
needs_peer = pytest.mark.skipif(
    PROGRAM is None, reason="compose-env is not built: run tools/peers.sh (needs Go)"
)

CASES = [
    "A=plain", "A = spaced out  ", "A: colon", "export A=exported", "A=", "A=with # c", "A=with#no", "A= # only", "A=#c",
    'A="a # b"  # c', 'A="l\\nn\\t\\"q\\" b\\\\s"', "A='lit\\n $B it\\'s'", "A=\\$B and \\${C}", 'A="\\$B"', "A=$$B", 'A="$$B"',
    "A=5$", "\tA=x", "A='{\"j\": true}'", "A=a=b=c", "Z=1\nA=${NONE:-two}", "Z=\nA=${Z:-two}|${Z-two}", "A=$NONE.",
    'A="x\ny"', "A='x\ny'", 'A=a"b"', "A=1\nA=2", "a.b=1", "a-b=1", "A=x\\ny", 'A="a\\qb"', "A=a\tb", "A='a'#c", "A=a'b'c",
    "Z=1\nA=$Z$Z", 'Z=1\nA="$Z"', "Z=1\nA='$Z'", "A=a\r\nB=b\r\n", "\ufeffA=1", "A=a\\", "A=\"it's\"", "1A=x", "A= 'x' ",
    "# c\n\nA=x", "A[0]=x", "A==x", "A=`x`", 'A="${Z:-$Y}"', "Z=1\nA=${Z:+${Z}x}",
]  # fmt: skip


def theirs(text: str) -> dict[str, str] | None:
    """None where Compose refuses the text."""
    assert PROGRAM
    done = subprocess.run([PROGRAM], input=text.encode(), capture_output=True, timeout=60)
    found: dict[str, str] | None = json.loads(done.stdout) if done.returncode == 0 else None
    return found


@needs_peer
@pytest.mark.parametrize("text", CASES)
def test_a_file_gives_what_compose_gives(text: str) -> None:
    file = read_env(text, ".env")
    assert not file.problems
    assert file.values == theirs(text)


WORDS = st.sampled_from(
    ["x", "1", " ", "#", " #", "'", '"', "$", "$A", "${A}", "${B:-y}", "\\", "\\n", "\\$", "=", "\n", "é"]
)


@needs_peer
@settings(max_examples=150)
@given(st.lists(WORDS, max_size=8).map("".join))
def test_a_value_that_both_read_is_the_same(value: str) -> None:
    text = f"A=first\nV={value}\nW=last\n"
    file = read_env(text, ".env")
    other = theirs(text)
    if other is not None and not file.problems and "" not in other and not file.inherited:
        assert file.values == other
