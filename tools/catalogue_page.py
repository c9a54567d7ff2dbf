"""Writes docs/reference/plugins.md from the keywords of the plugins: `python tools/catalogue_page.py`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/plugins.md"
KEYWORD = "log-aggregator-plugin"

HEAD = """\
# Which plugins are there

<!-- Written by tools/catalogue_page.py from the keywords of the packages. Do not edit. -->

Install one with `pip install log-aggregator-NAME`, and name it in `plugins.toml`: `[plugins.NAME]`.
`log-aggregator plugins` lists what is installed, `log-aggregator plugins NAME` the options of one.
"""

TAIL = f"""
## Plugins of others

A package with the keyword `{KEYWORD}` is found by
[a search on PyPI](https://pypi.org/search/?q={KEYWORD}). Packages written
by `log-aggregator new` carry it. [How to publish a plugin](../how-to/publish-a-plugin.md) has the steps.
"""

KINDS = {
    "receiver": "Receivers: take logs in",
    "stage": "Stages: look at logs, change, drop or group them",
    "store": "Stores: keep the aggregates and answer questions",
    "sink": "Sinks: forward the aggregates or watch them",
    "reader": "Answers in the words of others",
    "page": "Pages",
    "journal": "Journals: keep what was acknowledged, named as `kind` in `[journal]`",
}
"""The last part of the other keyword, `log-aggregator-KIND`, and its heading."""


def projects() -> list[dict[str, Any]]:
    """The metadata of every plugin of this repository that has the keyword, by name."""
    found = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    return [one["project"] for one in found if KEYWORD in one["project"].get("keywords", ())]


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for kind, heading in KINDS.items():
        rows = [one for one in projects() if f"log-aggregator-{kind}" in one["keywords"]]
        parts.append(f"\n## {heading}\n\n| plugin | |\n|---|---|\n")
        for one in rows:
            name = one["name"].removeprefix("log-aggregator-")
            parts.append(f"| [{name}](../../plugins/{name}/README.md) | {one['description']} |\n")
    return "".join(parts) + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
