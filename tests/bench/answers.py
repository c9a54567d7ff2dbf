"""What a running service answers when it is asked how it stands and what it has stored."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def get(url: str) -> Any:
    """The decoded JSON at an address. Raises `urllib.error.URLError` when there is none."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.loads(answer.read())


def stored(url: str) -> dict[str, int]:
    """How many logs each pattern in the store of the service at `url` stands for."""
    found: dict[str, int] = {}
    cursor = ""
    while True:
        page = get(f"{url}/patterns?limit=500{cursor and f'&cursor={cursor}'}")
        for row in page["patterns"]:
            found[row["pattern"]] = found.get(row["pattern"], 0) + row["count"]
        cursor = page.get("cursor") or ""
        if not cursor:
            return found
