"""The files by which the runner and its starters know each other, in the state directory of a product."""

LOCK = "runner.lock"
FACTS = "runner.json"
LOG = "runner.log"
