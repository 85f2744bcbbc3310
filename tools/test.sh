#!/usr/bin/env bash
# Every test, then the list of what was skipped and why. Extra arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
# Builds install Debian's packages: the machine's own network reaches them wherever the machine does.
export ECLUSE_BUILD_NETWORK=${ECLUSE_BUILD_NETWORK:-host}
report=$(mktemp)
trap 'rm -f "$report"' EXIT

status=0
.venv/bin/pytest --durations=15 "$@" 2>&1 | tee "$report" || status=$?
if grep -q '^SKIPPED' "$report"; then
    echo
    echo "Skipped, because a tool cannot be had here:"
    grep '^SKIPPED' "$report" | sed 's/^SKIPPED \[[0-9]*\] /  /'
fi
exit "$status"
