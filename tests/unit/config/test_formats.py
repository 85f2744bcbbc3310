"""Each format is written exactly, and its own reader reads back what was meant."""

from __future__ import annotations

import configparser
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import dotenv
import javaproperties
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ecluse.config.formats import Unwritable, env_quoted, property_escaped, settings_text
from ecluse.model.service import ContractKey, FileFormat, Plain
from tests.unit.config.product_folder import ProductFolder

KEYS = {
    "A": ContractKey("A"),
    "B": ContractKey("B", "boolean"),
    "L": ContractKey("L", "list"),
    "J": ContractKey("J", "json"),
    "N": ContractKey("N", "number"),
}
VALUES: dict[str, Plain] = {"A": "yes", "B": True, "L": ["a", 1], "J": {"k": "é"}, "N": 1e-7}
NASTY = {
    "PLAIN": "http://a.fr:80/x",
    "EMPTY": "",
    "WORDS": "two words",
    "EQUALS": "a=b: c",
    "HASH": "#no comment",
    "BANG": "!no comment",
    "SEMICOLON": "a ; b",
    "SINGLE": "it's",
    "DOUBLE": 'say "so"',
    "BACK": "C:\\dir\\new \\\\",
    "DOLLAR": "$HOME ${X} `id`",
    "PERCENT": "%(x)s 100%",
    "UNICODE": "é € 😀",
    "MARKUP": '<a href="x">&amp;</a> ]]>',
    "SECTION": "[other]",
    "YES": "yes",
}
LINES = {"LINES": "one\ntwo=2\nthree"}
SPACES = {"SPACES": " a\tb ", "CARRIAGE": "a\r\nb\r"}
ONE_LINE = st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"]))
ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def written(form: FileFormat, texts: dict[str, str]) -> str:
    keys = {key: ContractKey(key) for key in texts}
    return settings_text(form, keys, dict(texts))


def read_ini(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return dict(parser["settings"])


def read_xml(text: str) -> dict[str, str]:
    return {element.tag: element.text or "" for element in ElementTree.fromstring(text.encode())}


def read_dotenv(text: str) -> dict[str, str | None]:
    return dict(dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("env", "A=yes\nB=true\nL=a,1\nJ='{\"k\":\"é\"}'\nN=0.0000001\n"),
        ("json", '{\n  "A": "yes",\n  "B": true,\n  "L": [\n    "a",\n    1\n  ],\n'
         '  "J": {\n    "k": "é"\n  },\n  "N": 1e-07\n}\n'),
        ("yaml", 'A: "yes"\nB: true\nL: ["a", 1]\nJ: {"k": "é"}\n"N": 1e-07\n'),
        ("properties", 'A=yes\nB=true\nL=a,1\nJ={"k"\\:"\\u00e9"}\nN=0.0000001\n'),
        ("ini", '[settings]\nA = yes\nB = true\nL = a,1\nJ = {"k":"é"}\nN = 0.0000001\n'),
        ("xml", '<?xml version="1.0" encoding="UTF-8"?>\n<settings>\n  <A>yes</A>\n  <B>true</B>\n  <L>a,1</L>\n'
         '  <J>{"k":"é"}</J>\n  <N>0.0000001</N>\n</settings>\n'),
    ],
)  # fmt: skip
def test_each_type_is_written_in_each_format(form: FileFormat, text: str) -> None:
    assert settings_text(form, KEYS, VALUES) == text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("env", ""),
        ("json", "{}\n"),
        ("yaml", "{}\n"),
        ("properties", ""),
        ("ini", "[settings]\n"),
        ("xml", '<?xml version="1.0" encoding="UTF-8"?>\n<settings>\n</settings>\n'),
    ],
)
def test_a_service_without_values_has_a_file_that_its_reader_accepts(form: FileFormat, text: str) -> None:
    assert settings_text(form, {}, {}) == text


def test_nasty_values_are_written_exactly() -> None:
    texts = {key: NASTY[key] for key in ("EMPTY", "HASH", "BACK", "DOLLAR", "UNICODE", "MARKUP")}
    assert written("env", texts) == (
        "EMPTY=\nHASH='#no comment'\nBACK=\"C:\\\\dir\\\\new \\\\\\\\\"\nDOLLAR='$HOME ${X} `id`'\n"
        "UNICODE='é € 😀'\nMARKUP='<a href=\"x\">&amp;</a> ]]>'\n"
    )
    assert written("properties", texts) == (
        "EMPTY=\nHASH=\\#no comment\nBACK=C\\:\\\\dir\\\\new \\\\\\\\\nDOLLAR=$HOME ${X} `id`\n"
        'UNICODE=\\u00e9 \\u20ac \\ud83d\\ude00\nMARKUP=<a href\\="x">&amp;</a> ]]>\n'
    )
    assert written("ini", texts) == (
        "[settings]\nEMPTY =\nHASH = #no comment\nBACK = C:\\dir\\new \\\\\nDOLLAR = $HOME ${X} `id`\n"
        'UNICODE = é € 😀\nMARKUP = <a href="x">&amp;</a> ]]>\n'
    )
    assert written("xml", texts).splitlines()[2:-1] == [
        "  <EMPTY></EMPTY>",
        "  <HASH>#no comment</HASH>",
        "  <BACK>C:\\dir\\new \\\\</BACK>",
        "  <DOLLAR>$HOME ${X} `id`</DOLLAR>",
        "  <UNICODE>é € 😀</UNICODE>",
        '  <MARKUP>&lt;a href="x"&gt;&amp;amp;&lt;/a&gt; ]]&gt;</MARKUP>',
    ]


def test_the_readers_read_nasty_values_back() -> None:
    every = NASTY | LINES | SPACES
    assert json.loads(written("json", every)) == every
    assert yaml.safe_load(written("yaml", every)) == every
    assert javaproperties.loads(written("properties", every)) == every
    assert read_xml(written("xml", every)) == every
    assert read_ini(written("ini", NASTY | LINES)) == NASTY | LINES
    assert read_dotenv(written("env", every)) == every


JAVA = """
import java.io.*; import java.nio.charset.StandardCharsets; import java.util.*;
public class Read {
    public static void main(String[] given) throws IOException {
        Properties read = new Properties();
        read.load(new FileInputStream(given[0]));
        for (String name : read.stringPropertyNames())
            System.out.println(name + " " + Base64.getEncoder().encodeToString(
                read.getProperty(name).getBytes(StandardCharsets.UTF_8)));
    }
}
"""


@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK (javac) for java.util.Properties")
def test_java_reads_a_properties_file_back(tmp_path: Path) -> None:
    import base64

    every = NASTY | LINES | SPACES
    (tmp_path / "Read.java").write_text(JAVA)
    (tmp_path / "p").write_text(written("properties", every), "ascii")
    command = ["java", str(tmp_path / "Read.java"), str(tmp_path / "p")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    pairs = [line.partition(" ") for line in done.stdout.splitlines()]
    assert {name: base64.b64decode(text).decode() for name, _, text in pairs} == every


@pytest.mark.skipif(shutil.which("node") is None, reason="no node for util.parseEnv")
def test_node_reads_an_env_file_back() -> None:
    """Node knows no escape but \\n: quotes inside of double quotes and backslashes stay apart."""
    every = {key: text for key, text in NASTY.items() if key != "BACK"} | LINES
    script = "console.log(JSON.stringify(require('util').parseEnv(require('fs').readFileSync(0, 'utf8'))))"
    done = subprocess.run(
        ["node", "-e", script], input=written("env", every), capture_output=True, text=True, timeout=60
    )
    if "parseEnv is not a function" in done.stderr:
        pytest.skip("this node has no util.parseEnv (20.12)")
    assert json.loads(done.stdout) == every


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("http://a.fr:80/x", "http://a.fr:80/x"),
        ("", ""),
        ("two words", "'two words'"),
        ("#no comment", "'#no comment'"),
        ("$HOME `id` \\", "'$HOME `id` \\'"),
        ("it's", '"it\'s"'),
        ("a\nB=injected", '"a\\nB=injected"'),
        ("C:\\dir", "'C:\\dir'"),
        ("\\\\server", '"\\\\\\\\server"'),
        ('it\'s $5 "or" `x` \\n', '"it\'s \\$5 \\"or\\" \\`x\\` \\\\n"'),
    ],
)
def test_a_text_is_quoted_so_that_no_reader_sees_more_in_it(text: str, quoted: str) -> None:
    assert env_quoted(text) == quoted


@given(ONE_LINE)
def test_a_shell_reads_the_text_of_one_line_back(text: str) -> None:
    script = f'A={env_quoted(text)}\nprintf %s "$A"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode() == text


@given(ANY)
def test_a_dotenv_library_reads_any_text_back_but_a_dollar_that_needs_an_escape(text: str) -> None:
    """python-dotenv has no escape for `$` and backtick; a shell needs one in double quotes."""
    quoted = env_quoted(text)
    assert "\n" not in quoted
    assume(not ("\\$" in quoted or "\\`" in quoted))
    assume(quoted.startswith('"') or "\\\\" not in quoted)
    assume(not (quoted.startswith("'") and text.endswith("\\")))
    assert read_dotenv(f"A={quoted}\n") == {"A": text}


@given(st.dictionaries(st.sampled_from("ABCDE"), ANY))
def test_properties_come_back(texts: dict[str, str]) -> None:
    text = written("properties", texts)
    assert text.isascii()
    assert javaproperties.loads(text) == texts


@given(st.dictionaries(st.sampled_from("ABCDE"), ANY))
def test_an_ini_file_comes_back_or_is_refused(texts: dict[str, str]) -> None:
    try:
        text = written("ini", texts)
    except Unwritable:
        assert any(set(one) & {"\r", "\n"} or one != one.strip() for one in texts.values())
        return
    assert read_ini(text) == texts


@given(st.dictionaries(st.sampled_from("ABCDE"), ANY))
def test_an_xml_file_comes_back_or_is_refused(texts: dict[str, str]) -> None:
    try:
        text = written("xml", texts)
    except Unwritable:
        assert any(
            re.search(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", one) for one in texts.values()
        )
        return
    assert read_xml(text) == texts


@given(st.dictionaries(st.sampled_from("ABCDE"), ANY))
def test_json_and_yaml_come_back(texts: dict[str, str]) -> None:
    assert json.loads(written("json", texts)) == texts
    assert property_escaped("") == ""


@pytest.mark.parametrize(
    ("form", "value", "problem"),
    [
        ("ini", '" a"', "it begins or ends with white space, which an INI file cannot hold"),
        ("ini", '"a\\n\\nb"', "it has an empty line or a line that INI takes for a comment"),
        ("ini", '"a\\n;b"', "it has an empty line or a line that INI takes for a comment"),
        ("xml", '"a\\u0001"', "it has a character that XML cannot hold"),
    ],
)
def test_a_value_that_a_format_cannot_hold_is_a_problem_of_its_key(
    product: ProductFolder, form: str, value: str, problem: str
) -> None:
    product.invoicing(
        config=f"NOTE: {{default: {value}}}", more=f"deliver: {{path: /config/x, format: {form}}}\n"
    )
    assert product.problems() == (
        f"services/invoicing/service.yaml:6: config.NOTE: cannot be written to /config/x: {problem}\n"
        "  hint: write this file with a template under `files:`, or in another format"
    )


def test_the_section_of_an_ini_file_can_be_named(product: ProductFolder) -> None:
    deliver = (
        "deliver: {path: /config/x.ini, format: ini, section: mail.smtp, owner: www-data, mode: '0400'}\n"
    )
    product.invoicing(config="HOST: {default: mail}", more=deliver)
    assert product.file("/config/x.ini") == "[mail.smtp]\nHOST = mail\n"
    (file,) = product.application().files
    assert (file.mode, file.owner) == (0o400, "www-data")


@pytest.mark.parametrize("form", ["env", "json", "yaml", "properties", "ini", "xml"])
def test_a_secret_inside_makes_a_file_of_any_format_a_secret(product: ProductFolder, form: str) -> None:
    product.secrets = {"TOKEN": "hunter2"}
    product.invoicing(
        config="TOKEN: {secret: true}\nHOST: {default: mail}", more=f"deliver: {{path: /x, format: {form}}}\n"
    )
    (file,) = product.application().files
    assert not isinstance(file.content, str)
    assert "hunter2" in product.file("/x")
