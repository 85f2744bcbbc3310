import pytest

from ecluse.images.ignore import is_ignored, read_rules


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        ("node_modules", "node_modules", True),
        ("node_modules", "node_modules/a/b.js", True),
        ("node_modules", "sub/node_modules", False),
        ("**/node_modules", "node_modules", True),
        ("**/node_modules", "a/b/node_modules/c", True),
        ("/build", "build", True),
        ("build/", "build/x", True),
        ("./build", "build", True),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "docs/README.md", True),
        ("*/temp*", "somedir/temporary.txt", True),
        ("*/temp*", "somedir/sub/temp", False),
        ("*/*/temp*", "somedir/sub/temp.txt", True),
        ("temp?", "tempa", True),
        ("temp?", "temp", False),
        ("temp?", "temp/", False),
        ("docs/**", "docs/a/b", True),
        ("docs/**", "docs", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("[a-c].txt", "b.txt", True),
        ("[^a-c].txt", "d.txt", True),
        ("[^a-c].txt", "b.txt", False),
        (r"\*.txt", "*.txt", True),
        (r"\*.txt", "a.txt", False),
        ("a.b", "axb", False),
        ("a+(b)|{c}$", "a+(b)|{c}$", True),
        ("*.md\n!README.md", "README.md", False),
        ("*.md\n!README.md", "OTHER.md", True),
        ("!README.md\n*.md", "README.md", True),
        ("*\n!src", "src/main.py", False),
        ("*\n!src\nsrc/secret", "src/secret/key", True),
        ("docs\n!docs/keep.md", "docs/keep.md", False),
        ("docs\n!docs/keep.md", "docs/other.md", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("# secret", "# secret", False),
        ("  spaced  ", "spaced", True),
        ("! README.md\n", "README.md", False),
        ("", "anything", False),
        (".", "anything", False),
        ("*\n! spaced", "spaced", False),
        ("foo/../bar", "bar", True),
    ],
)
def test_dockerignore_rules_decide_as_moby_does(rules: str, path: str, *, ignored: bool) -> None:
    assert is_ignored(path, read_rules(rules)) is ignored


def test_a_byte_order_mark_is_no_part_of_the_first_rule() -> None:
    assert is_ignored("secret", read_rules("\ufeffsecret\n"))
