"""What `formats` writes is read back as it was, and what others wrote is not guessed at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.config.formats import Unwritable, settings_text
from ecluse.config.readback import settings_in
from ecluse.model.service import ContractKey, FileFormat, Plain, SettingsFile

FORMATS: tuple[FileFormat, ...] = ("env", "json", "yaml", "properties", "ini", "xml")
KEYS = {name: ContractKey(name) for name in ("A", "B_2", "Y", "NO", "token", "Token")}
ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TYPED = {
    "A": ContractKey("A", "boolean"),
    "B": ContractKey("B", "list"),
    "C": ContractKey("C", "json"),
    "D": ContractKey("D", "number"),
}
VALUES: dict[str, Plain] = {"A": True, "B": ["a", 1], "C": {"k": "é"}, "D": 1e-7}


@pytest.mark.parametrize("form", FORMATS)
@given(texts=st.dictionaries(st.sampled_from(sorted(KEYS)), ANY))
def test_every_text_that_a_format_can_hold_is_read_back(form: FileFormat, texts: dict[str, str]) -> None:
    file = SettingsFile("/srv/settings", form, section="app")
    try:
        written = settings_text(form, KEYS, dict(texts), section="app")
    except Unwritable:
        return
    assert settings_in(file, KEYS, written) == texts


@pytest.mark.parametrize("form", FORMATS)
def test_each_type_is_read_back_as_a_variable_would_hold_it(form: FileFormat) -> None:
    written = settings_text(form, TYPED, VALUES)
    found = settings_in(SettingsFile("/srv/settings", form), TYPED, written)
    assert found == {"A": "true", "B": "a,1", "C": '{"k":"é"}', "D": "0.0000001"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "text", ["", "\0\0", "<a><b></a>", "{", "[1]", "- x", "A: [", "A = \\u12", "nothing at all"]
)
def test_what_others_wrote_gives_nothing_and_no_error(form: FileFormat, text: str) -> None:
    assert settings_in(SettingsFile("/srv/settings", form), {"K": ContractKey("K")}, text) == {}


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE s [<!ENTITY a "aaaa">]><settings><A>&a;</A></settings>'
    assert settings_in(SettingsFile("/srv/settings", "xml"), KEYS, bomb) == {}
