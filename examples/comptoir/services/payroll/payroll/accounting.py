"""The accounting service, called by its internal name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from payroll.errors import Invalid, Unavailable


def post_entry(url: str, entry: Mapping[str, str | int], *, traceparent: str | None = None) -> None:
    """May be called again with the same entry: accounting knows it by source and reference.

    Raise Unavailable when accounting is away, Invalid when it refuses the entry.
    """
    headers = {"Content-Type": "application/json"} | ({"traceparent": traceparent} if traceparent else {})
    request = Request(f"{url}/entries", data=json.dumps(entry).encode(), headers=headers)
    try:
        urlopen(request, timeout=3).close()
    except HTTPError as error:
        if error.code >= 500:
            raise Unavailable(f"accounting does not answer (status {error.code})") from error
        raise Invalid(f"accounting refused {entry['reference']}: {error.read().decode()}") from error
    except OSError as error:
        raise Unavailable("accounting does not answer") from error
