"""Writes docs/reference/settings.md from the code: `python tools/settings_page.py`. A test compares the two."""

from __future__ import annotations

import sys
from pathlib import Path

from log_aggregator.config.settings import described

PAGE = Path(__file__).parents[1] / "docs/reference/settings.md"

HEAD = """\
# Settings

<!-- Written by tools/settings_page.py from the settings in the code. Do not edit. -->

`plugins.toml` names the plugins and sets their options, which each plugin's README lists; without one,
[a built-in pipeline](../how-to/configure-the-pipeline.md) runs. Environment variables set
everything else. An empty variable counts as not set. `log-aggregator check` finds wrong values and misspelled names
before a start; `log-aggregator serve --help` prints this table.

| variable | default | meaning |
|---|---|---|
"""

TAIL = """
Variables of plugins: [PostgreSQL](../how-to/postgres.md), [analytics](analytics.md). Commands that talk to a service
read `LOG_AGGREGATOR_URL`, `LOG_AGGREGATOR_API_KEY` and, for TLS, `LOG_AGGREGATOR_CA`, `LOG_AGGREGATOR_CLIENT_CERT` and
`LOG_AGGREGATOR_CLIENT_KEY`; see [Expose the service](../how-to/expose.md). [HTTP](http.md) lists the answer to each
exceeded limit, [workers](../how-to/workers.md) what several workers share.
"""


def page() -> str:
    """The whole page."""
    rows = (
        f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |\n" for name, default, meaning in described()
    )
    return HEAD + "".join(rows) + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
