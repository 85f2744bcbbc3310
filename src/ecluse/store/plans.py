"""A plan as a file: text that people may read and pass on, and that is worth nothing once it was changed.

It holds fingerprints where there are secrets, never the secrets. Its seal (HMAC-SHA256) is made with a key that
only the state has that it was made on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ecluse.errors import Refused, UsageError
from ecluse.model.plan import Intent
from ecluse.store import codec

FORM = 1
_MARK = "saved plan"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What `ecluse plan --out` wrote: what was to be done, when it was planned, and by whom."""

    intent: Intent
    made_at: datetime
    made_by: str


def dump(saved: SavedPlan, *, key: str) -> str:
    facts: dict[str, Any] = {
        "ecluse": _MARK,
        "form": FORM,
        "product": saved.intent.target.product,
        "environment": saved.intent.target.environment,
        "digest": saved.intent.plan.digest,
        "made_at": saved.made_at.isoformat(),
        "made_by": saved.made_by,
        "intent": json.loads(codec.dump(Intent, saved.intent)),
    }
    return json.dumps(facts | {"seal": _seal(facts, key)}, indent=1, ensure_ascii=False) + "\n"


def load(text: str, *, name: str, product: str, key: str) -> SavedPlan:
    """UsageError for what is no saved plan; Refused for one that was changed, or is of another product, state or
    version."""
    facts = _facts(text, name)
    if facts.get("form") != FORM:
        raise Refused(
            f"{name} has the form {facts.get('form')}, and this ecluse reads the form {FORM}",
            hint=_again(facts),
        )
    if facts.get("product") != product:
        raise Refused(
            f"{name} is a plan of the product {facts.get('product')}, and this is {product}",
            hint="is -C the folder that you mean?",
        )
    seal = facts.pop("seal", "")
    if not isinstance(seal, str) or not hmac.compare_digest(seal, _seal(facts, key)):
        raise Refused(
            f"{name} was changed after it was saved, or saved on another state: its seal does not hold",
            hint=_again(facts),
        )
    try:
        intent = codec.load(Intent, json.dumps(facts["intent"]))
        return SavedPlan(intent, datetime.fromisoformat(facts["made_at"]), str(facts["made_by"]))
    except (ValidationError, KeyError, ValueError) as error:
        raise Refused(f"{name} was saved by another version of ecluse", hint=_again(facts)) from error


def _facts(text: str, name: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or facts.get("ecluse") != _MARK:
        raise UsageError(f"{name} is not a saved plan", hint="`ecluse plan ENV --out FILE` makes one")
    return facts


def _seal(facts: dict[str, Any], key: str) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _again(facts: dict[str, Any]) -> str:
    return f"make it again: ecluse plan {facts.get('environment', 'ENV')} --out FILE"
