#!/usr/bin/env bash
# Makes the virtual environment $1 with Écluse and its tools in it.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
python=$(command -v python3.11 || command -v python3)
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed: apt-get install python3" >&2
    exit 1
}
if ! "$python" -m venv "$venv" 2>/dev/null; then
    # Debian ships venv apart from Python.
    $([ "$(id -u)" = 0 ] || echo sudo) apt-get install -y -qq python3-venv >/dev/null
    "$python" -m venv "$venv"
fi
echo "installing Écluse into $venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -e '.[dev]' -c tools/constraints.txt
