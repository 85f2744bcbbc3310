"""Which values of a tree are encrypted, and the two ways through it (sops.go: shouldBeEncrypted, Encrypt, Decrypt).

The MAC is a SHA-512 over the texts of all values in their order, encrypted or not; keys and comments are not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ecluse.secrets.sops.cipher import Cipher, OldBytes
from ecluse.secrets.sops.patterns import matches
from ecluse.secrets.sops.tree import BadFile, Branch, Comment, Item, Leaf, Node, Series, leaf_text, to_bytes

Names = tuple[str, ...]
Comments = tuple[tuple[str, ...], ...]
Visit = Callable[[Leaf | Comment, Names, Comments], "Leaf | Comment"]

ONLY_ENCRYPTED_SEED = hashlib.sha256(b"sops").digest()
DEFAULT_SUFFIX = "_unencrypted"
SELECTORS = (
    "unencrypted_suffix", "encrypted_suffix", "unencrypted_regex",
    "encrypted_regex", "unencrypted_comment_regex", "encrypted_comment_regex",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selector:
    """The one rule that says which values of a file are encrypted; `kind` is its name in the metadata."""

    kind: str = "unencrypted_suffix"
    text: str = DEFAULT_SUFFIX

    def selects(self, names: Names, comments: Comments, *, is_comment: bool) -> bool:
        match self.kind:
            case "unencrypted_suffix":
                return not any(name.endswith(self.text) for name in names)
            case "encrypted_suffix":
                return any(name.endswith(self.text) for name in names)
            case "unencrypted_regex":
                return not any(matches(self.text, name) for name in names)
            case "encrypted_regex":
                return any(matches(self.text, name) for name in names)
            case "unencrypted_comment_regex":
                return not any(matches(self.text, one) for group in comments for one in group)
        # the comment that asks for encryption is not encrypted by itself
        last = comments[-1][:-1] if is_comment else comments[-1]
        return any(matches(self.text, one) for group in (*comments[:-1], last) for one in group)


@dataclass(slots=True)
class Walk:
    """One way through the documents of a file. `visit` gives what replaces each leaf and each comment."""

    visit: Visit

    def branch(self, branch: Branch, names: Names = (), above: Comments = ()) -> None:
        active: list[str] = []
        for index, item in enumerate(branch):
            if isinstance(item, Comment):
                active.append(item.text)
                new = self.visit(item, names, (*above, tuple(active)))
                if not isinstance(new, Comment | str):
                    raise BadFile("has a comment that is a value of another type")
                branch[index] = Comment(leaf_text(new), item.inline)
            else:
                item.value = self.value(item.value, (*names, item.key), (*above, tuple(active)))
                active = []

    def value(self, node: Node, names: Names, comments: Comments) -> Node:
        if isinstance(node, Branch):
            self.branch(node, names, comments)
        elif isinstance(node, Series):
            self.sequence(node, names, comments)
        elif node is not None:
            return self.visit(node, names, comments)  # type: ignore[return-value]  # a leaf stays a leaf
        return node

    def sequence(self, nodes: Series, names: Names, above: Comments) -> None:
        active: list[str] = []
        for index, node in enumerate(nodes):
            if isinstance(node, Comment):
                active.append(node.text)
                new = self.visit(node, names, (*above, tuple(active)))
                nodes[index] = Comment(leaf_text(new), node.inline)
            else:
                nodes[index] = self.value(node, names, (*above, tuple(active)))
                active = []


@dataclass(slots=True)
class Digest:
    """The MAC of a file while it is walked."""

    only_encrypted: bool
    _hash: hashlib._Hash = field(default_factory=hashlib.sha512)

    def __post_init__(self) -> None:
        if self.only_encrypted:
            self._hash.update(ONLY_ENCRYPTED_SEED)

    def add(self, leaf: Leaf | Comment, *, encrypted: bool) -> None:
        if encrypted or not self.only_encrypted:
            self._hash.update(to_bytes(leaf_text(leaf)))

    def text(self) -> str:
        return self._hash.hexdigest().upper()


def decrypt_branches(
    branches: Sequence[Branch], cipher: Cipher, selector: Selector, *, only_encrypted: bool
) -> str:
    """Replaces what is encrypted, in place; gives the MAC. BadFile names the path, never a value."""
    digest = Digest(only_encrypted)

    def visit(leaf: Leaf | Comment, names: Names, comments: Comments) -> Leaf | Comment:
        encrypted = selector.selects(names, comments, is_comment=isinstance(leaf, Comment))
        if isinstance(leaf, Comment):
            return _opened_comment(leaf, cipher, names) if encrypted else leaf
        found = _opened(leaf, cipher, names) if encrypted else leaf
        digest.add(found, encrypted=encrypted)
        return found

    for branch in branches:
        Walk(visit).branch(branch)
    return digest.text()


def encrypt_branches(
    branches: Sequence[Branch], cipher: Cipher, selector: Selector, *, only_encrypted: bool
) -> str:
    """Replaces what the selector selects, in place; gives the MAC of the plain texts."""
    digest = Digest(only_encrypted)

    def visit(leaf: Leaf | Comment, names: Names, comments: Comments) -> Leaf | Comment:
        is_comment = isinstance(leaf, Comment)
        encrypted = selector.selects(names, comments, is_comment=is_comment)
        if not is_comment:
            digest.add(leaf, encrypted=encrypted)
        if not encrypted:
            return leaf
        text = cipher.encrypt(leaf, associated(names))
        if is_comment and selector.kind == "unencrypted_comment_regex" and matches(selector.text, text):
            raise BadFile(f"unencrypted_comment_regex matches encrypted comments: {selector.text}")
        return text

    for branch in branches:
        Walk(visit).branch(branch)
    return digest.text()


def associated(names: Names) -> str:
    """What binds a value to its place. Indexes of lists are not in it."""
    return ":".join(names) + ":"


def _opened(leaf: Leaf, cipher: Cipher, names: Names) -> Leaf | Comment:
    if not isinstance(leaf, str):
        raise BadFile(f"{'.'.join(names)} is not encrypted")
    try:
        return cipher.decrypt(leaf, associated(names))
    except BadFile as error:
        raise BadFile(f"{'.'.join(names)} {error}") from None


def _opened_comment(comment: Comment, cipher: Cipher, names: Names) -> Leaf | Comment:
    """Comments need not be encrypted: older versions of SOPS left them alone."""
    try:
        return cipher.decrypt(comment.text, associated(names))
    except OldBytes:
        raise
    except BadFile:
        return comment


def without_lonely_comments(branch: Branch) -> None:
    """Moves the comments of maps that hold nothing else to the map around: no text form keeps them inside."""
    index = 0
    while index < len(branch):
        item = branch[index]
        if isinstance(item, Item) and isinstance(item.value, Branch):
            without_lonely_comments(item.value)
            if item.value and not any(item.value.items()):
                moved = [one for one in item.value if isinstance(one, Comment)]
                branch[index:index] = [Comment(one.text) for one in moved]
                item.value.clear()
                index += len(moved)
        index += 1
