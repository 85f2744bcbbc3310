import json
import pathlib
import sys

try:
    json.loads(pathlib.Path("/config/app.json").read_text())
except ValueError as error:
    sys.exit(f"cannot parse /config/app.json: {error}")
