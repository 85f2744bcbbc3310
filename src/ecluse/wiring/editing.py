"""Edits of the configuration: what one would do, and doing it. Nothing is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecluse.errors import ConfigInvalid, NotFound, Refused
from ecluse.wiring.questions import Questions

if TYPE_CHECKING:
    from ecluse.config.change import Spot, Touched, Where
    from ecluse.model.service import Plain


@dataclass(frozen=True, slots=True)
class Edit:
    """A layer file as it would be, and every value that is not the same then."""

    file: str
    text: str
    touched: tuple[Touched, ...]


def propose_value(questions: Questions, where: Where, name: str, words: str | None) -> Edit:
    """Sets `name` in a layer to what `words` mean; None is null, which removes what less specific layers give."""
    from ecluse.config.change import declared, field_value, meant, spot
    from ecluse.config.edit import with_value

    configuration = questions.product.configuration
    place = spot(configuration, where, name)
    value: Plain = None
    if place.path[-2] == "app":
        keys = declared(configuration, where, place.path[-1])
        meaning = (
            meant(keys, words or "", where) if words is not None or any(key.secret for key in keys) else None
        )
        value = meaning if words is not None else None
    elif words is not None:
        value = field_value(words)
    text = with_value(_text(questions, place), place.path, value, file=place.file)
    return _edit(questions, where, place, text)


def propose_removal(questions: Questions, where: Where, name: str) -> Edit:
    """Takes `name` out of a layer; NotFound when the layer does not give it."""
    from ecluse.config.change import spot
    from ecluse.config.edit import without

    configuration = questions.product.configuration
    place = spot(configuration, where, name)
    try:
        text = without(_text(questions, place), place.path, file=place.file)
    except KeyError:
        _refuse_encrypted(questions, place, where)
        raise NotFound(
            f"{place.file} does not give {name}", hint=f"ecluse config where {place.path[-1]}"
        ) from None
    return _edit(questions, where, place, text)


def write(questions: Questions, edit: Edit) -> None:
    from ecluse.config.workspace import write_layer

    write_layer(questions.product.root, edit.file, edit.text)


def _text(questions: Questions, place: Spot) -> str:
    return questions.workspace.texts.get(place.file, "")


def _refuse_encrypted(questions: Questions, place: Spot, where: Where) -> None:
    twins = questions.product.configuration.twins.documents
    stem = place.file.removesuffix(".yaml")
    for file, document in twins.items():
        if file.startswith(f"{stem}.sops.") and place.path in document.lines:
            raise Refused(
                f"{place.path[-1]} is a secret in {file}",
                hint=f"ecluse secrets unset {place.path[-1]}{where.options}",
            )


def _edit(questions: Questions, where: Where, place: Spot, text: str) -> Edit:
    """ConfigInvalid when something would be wrong that is not wrong now."""
    from ecluse.config.change import touched
    from ecluse.config.load import load
    from ecluse.config.workspace import open_workspace

    product = questions.product
    workspace = open_workspace(product.root, instead={place.file: text})
    changed = load(workspace, product.secret_files)
    names = [where.environment] if where.environment else [str(name) for name in changed.product.environments]
    before = [questions.sight(name) for name in names]
    after = [questions.sight_of(changed, name) for name in names]
    found = tuple(touched(before, after))
    known = {problem for sight in before for problem in sight.problems}
    if news := {problem for sight in after for problem in sight.problems} - known:
        raise ConfigInvalid(news)
    return Edit(place.file, text, found)
