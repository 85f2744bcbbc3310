"""The files by which the runner and its starters know each other, in the state directory of a product."""

LOCK = "runner.lock"
"""Held by the runner."""
TURN = "runner.turn"
"""Held by who is about to become the runner, or to stop it: no other process comes in between."""
FACTS = "runner.json"
LOG = "runner.log"
