"""Random documents such as SOPS can hold, as trees and as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from ecluse.secrets.sops.tree import Branch, Comment, Item, Node, Series, Time, leaf_text

SELECTORS = {
    "unencrypted_suffix": "_open",
    "encrypted_suffix": "_shut",
    "unencrypted_regex": "^(open|a)",
    "encrypted_regex": "shut|^b",
    "unencrypted_comment_regex": "^ keep this open$",
    "encrypted_comment_regex": "seal this",
}
_letters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff")
_printable = st.characters(
    exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"
)
texts = st.text(_letters, max_size=12) | st.sampled_from(
    ["yes", "010", "1_000", "0x1f", "2020-01-01", "null", "~", "1e3", ".5", "a: b", "a #b", "- x", "{", "|", "'", '"', "\n",
     "multi\nline", "multi\nline\n", " lead\ntrail ", "22:22", "=", "<<", "&a", "*a", "!t", "%", "@", "`", "\\n", "\t"]
)  # fmt: skip
times = st.datetimes(timezones=st.none()).map(
    lambda at: Time(at.replace(microsecond=0).isoformat().rjust(19, "0") + "Z")
)
leaves = (
    texts
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number or 0.0)
    | st.booleans()
    | st.none()
)
keys = st.text(_printable, min_size=1, max_size=8).filter(lambda key: key != "sops") | st.sampled_from(
    ["open", "shut", "a_open", "b_shut", "key", "010", "y", "<<", "a:b", "a b", "null"]
)
comments = st.sampled_from([" keep this open", " seal this", " a note", "ENC[no]", ""]).map(Comment)


def branches(values: st.SearchStrategy[Node], *, with_comments: bool) -> st.SearchStrategy[Branch]:
    notes = st.lists(comments, max_size=2) if with_comments else st.just([])
    items = st.lists(st.tuples(notes, keys, values), max_size=4, unique_by=lambda one: one[1])
    return items.map(
        lambda all_: Branch(part for above, key, value in all_ for part in (*above, Item(key, value)))
    )


def _without_head(node: Node) -> Node:
    """Comments in lists: sops 3.13 makes values of them, and then refuses its own file."""
    if isinstance(node, Branch):
        while node and isinstance(node[0], Comment):
            node.pop(0)
    return node


def documents(*, with_comments: bool, with_times: bool) -> st.SearchStrategy[Branch]:
    values: st.SearchStrategy[Node] = st.recursive(
        leaves | times if with_times else leaves,
        lambda inner: (
            st.lists(inner.map(_without_head), max_size=3).map(Series)
            | branches(inner, with_comments=with_comments)
        ),
        max_leaves=8,
    )
    return branches(values, with_comments=with_comments)


def plain(node: object) -> object:
    """What a tree says, to be compared: kinds and texts, without comments."""
    if isinstance(node, Branch):
        return {item.key: plain(item.value) for item in node.items()}
    if isinstance(node, Series):
        return [plain(one) for one in node.values()]
    if node is None or isinstance(node, Comment):
        return None
    return (type(node).__name__, leaf_text(node))  # type: ignore[arg-type]  # what is left are leaves


def numbers_alike(node: object) -> object:
    """As `plain`, where a format cannot tell 2 from 2.0."""
    found = plain(node)

    def alike(one: object) -> object:
        if isinstance(one, dict):
            return {key: alike(value) for key, value in one.items()}
        if isinstance(one, list):
            return [alike(value) for value in one]
        return ("number", one[1]) if isinstance(one, tuple) and one[0] in ("int", "float") else one

    return alike(found)


def notes(node: object) -> list[str]:
    """The texts of all comments, in their order."""
    if isinstance(node, Comment):
        return [node.text]
    if isinstance(node, Branch):
        return [
            text for one in node for text in (notes(one) if isinstance(one, Comment) else notes(one.value))
        ]
    return [text for one in node for text in notes(one)] if isinstance(node, Series) else []
