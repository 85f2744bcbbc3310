"""Random documents: written here, opened and written again by `sops`, read here, equal. And the other way round."""

from __future__ import annotations

import os

import pytest
from documents import SELECTORS, documents, keys, notes, numbers_alike, plain, texts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from real_sops import RealSops

from ecluse.secrets.sops.file import (
    Form,
    close_file,
    new_file,
    open_file,
    read_closed,
    read_plain,
    unlock,
    write_closed,
    write_plain,
)
from ecluse.secrets.sops.tree import Branch, Comment, Item
from ecluse.secrets.sops.walk import Selector, without_lonely_comments

BATCH = 10
COUNT = int(os.environ.get("ECLUSE_SOPS_DOCUMENTS", "200"))
"""How many documents each of the two YAML tests writes: `ECLUSE_SOPS_DOCUMENTS=2000` for the full proof."""

selectors = st.none() | st.sampled_from([Selector(*one) for one in SELECTORS.items()])
checked = settings(
    max_examples=max(1, COUNT // BATCH),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    derandomize="CI" in os.environ,
)


def opened(sops: RealSops, form: Form, text: str) -> list[Branch]:
    closed = read_closed(text, form)
    key = unlock(closed, sops.identities.keys)
    assert key is not None
    return open_file(closed, key).branches


def through_sops(
    sops: RealSops,
    form: Form,
    name: str,
    trees: list[Branch],
    selector: Selector | None,
    *,
    only: bool = False,
) -> list[Branch]:
    """Written here, opened and sealed anew by `sops`, opened here."""
    file = new_file(form, trees, [sops.recipient], selector=selector, mac_only_encrypted=only)
    sops.write(name, write_closed(close_file(file)))
    sops.must("rotate", "--in-place", name)
    return opened(sops, form, sops.read(name))


@checked
@given(
    st.lists(documents(with_comments=True, with_times=True), min_size=BATCH, max_size=BATCH),
    selectors,
    st.booleans(),
)
def test_yaml_written_here_opens_there_and_comes_back_equal(
    sops: RealSops, trees: list[Branch], selector: Selector | None, only: bool
) -> None:
    for tree in trees:
        without_lonely_comments(tree)
    back = through_sops(sops, "yaml", "a.yaml", trees, selector, only=only)
    assert [numbers_alike(tree) for tree in back] == [numbers_alike(tree) for tree in trees]


@checked
@given(st.lists(documents(with_comments=True, with_times=True), min_size=BATCH, max_size=BATCH), selectors)
def test_yaml_written_there_opens_here(
    sops: RealSops, trees: list[Branch], selector: Selector | None
) -> None:
    for tree in trees:
        without_lonely_comments(tree)
    sops.write("plain.yaml", write_plain(trees, "yaml"))
    chosen = [f"--{selector.kind.replace('_', '-')}={selector.text}"] if selector else []
    if selector and "comment" in selector.kind:
        sops.write(
            ".sops.yaml", f"creation_rules: [{{age: {sops.recipient}, {selector.kind}: '{selector.text}'}}]\n"
        )
        chosen = []
    else:
        sops.write(".sops.yaml", f"creation_rules: [{{age: {sops.recipient}}}]\n")
    text = sops.must("encrypt", *chosen, "plain.yaml")
    found = [numbers_alike(tree) for tree in opened(sops, "yaml", text)]
    assert found == [numbers_alike(tree) for tree in trees]


@checked
@given(
    st.lists(documents(with_comments=False, with_times=False), min_size=BATCH, max_size=BATCH),
    selectors.filter(lambda one: one is None or "comment" not in one.kind),
)
def test_json_in_both_directions(sops: RealSops, trees: list[Branch], selector: Selector | None) -> None:
    whole = Branch(Item(f"{index}", tree) for index, tree in enumerate(trees))
    (back,) = through_sops(sops, "json", "a.json", [whole], selector)
    assert numbers_alike(back) == numbers_alike(whole)


lines = st.lists(
    st.tuples(
        keys.filter(lambda key: "=" not in key and not key.startswith(("#", "sops_"))),
        texts.filter(lambda text: "\\n" not in text),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda one: one[0],
)


@checked
@given(lines, selectors)
def test_dotenv_in_both_directions(
    sops: RealSops, pairs: list[tuple[str, str]], selector: Selector | None
) -> None:
    tree = Branch([Comment(" seal this"), *(Item(key, text) for key, text in pairs)])
    (back,) = through_sops(sops, "dotenv", "a.env", [tree], selector)
    assert plain(back) == plain(tree)
    assert notes(back) == notes(tree)


@pytest.mark.parametrize("form", ["yaml", "json", "dotenv"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_plain_text_that_is_written_is_read_as_it_was(form: Form, data: st.DataObject) -> None:
    """No `sops` is needed for what the editor shows."""
    if form == "dotenv":
        tree = Branch(Item(key, text) for key, text in data.draw(lines))
    else:
        tree = data.draw(documents(with_comments=form == "yaml", with_times=form == "yaml"))
    without_lonely_comments(tree)
    (back,) = read_plain(write_plain([tree], form), form)
    assert numbers_alike(back) == numbers_alike(tree)
    if form == "yaml":
        assert notes(back) == notes(tree)
