"""`log-aggregator mcp`: speaks MCP on standard input and output, and asks a running service."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

import anyio

from log_aggregator.config.client_tls import client_context
from log_aggregator_mcp.api import CURRENT, Api
from log_aggregator_mcp.server import build_server

URL = "http://127.0.0.1:8004"

_EXAMPLES = """examples:
  claude mcp add logs -- log-aggregator mcp
  claude mcp add logs -e LOG_AGGREGATOR_API_KEY=la.… -- log-aggregator mcp --url https://logs.example.org

For MCP over HTTP add [plugins.mcp] to the service's plugins.toml: it then speaks MCP at /mcp.
"""


def main(argv: Sequence[str]) -> int:
    """Serve until standard input ends; the exit code."""
    parser = argparse.ArgumentParser(
        prog="log-aggregator mcp",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--url", default=os.environ.get("LOG_AGGREGATOR_URL") or URL, help="the service (default: %(default)s)"
    )
    url: str = parser.parse_args(argv).url
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        print(f"log-aggregator mcp: --url {url}: expected an address such as {URL}", file=sys.stderr)  # noqa: T201  the answer of a command
        return 2
    key = os.environ.get("LOG_AGGREGATOR_API_KEY", "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    help_on_key = "Set LOG_AGGREGATOR_API_KEY to a key with the scope 'read' where this MCP server is started."
    CURRENT.set(Api(url, headers, help_on_key, client_context(os.environ)))
    anyio.run(build_server().run_stdio_async)
    return 0
