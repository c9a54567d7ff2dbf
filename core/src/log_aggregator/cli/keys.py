"""Make and list API keys. A key's secret is shown once; the file keeps its hash."""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from pathlib import Path

from log_aggregator.errors import ConfigError

SCOPES = ("ingest", "read", "admin")

EXAMPLES = """examples:
  log-aggregator keys new node-red --file keys.toml
  log-aggregator keys new shop --source shop --source 'shop-*' --file keys.toml
  log-aggregator keys new grafana --scope read --file keys.toml
  log-aggregator keys list --file keys.toml
  API_KEYS_FILE=keys.toml log-aggregator serve      # from now on a key is asked for
  curl -H 'Authorization: Bearer THE-KEY' http://localhost:8004/stats
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("action", choices=("new", "list"))
    parser.add_argument("name", nargs="?", help="who has the key")
    parser.add_argument("--file", type=Path, help="where keys are kept (default: API_KEYS_FILE)")
    parser.add_argument("--scope", action="append", choices=SCOPES, help="what it may do (default: ingest)")
    parser.add_argument("--source", action="append", default=[], help="a source it may send for (default: any)")


def run(args: argparse.Namespace) -> int:
    """Do one of the actions."""
    path = args.file or (Path(os.environ["API_KEYS_FILE"]) if os.environ.get("API_KEYS_FILE") else None)
    if path is None:
        raise ConfigError("keys: where are they kept? Give --file keys.toml, or set API_KEYS_FILE")
    if args.action == "list":
        return _list(path)
    if not args.name:
        raise ConfigError("keys new: a name is missing: who gets the key?")
    from log_aggregator.http.access.keys import add_key  # noqa: PLC0415  brings the web server's imports

    token = add_key(path, args.name, args.scope or ("ingest",), args.source)
    print(token)  # noqa: T201  the answer of the command
    print(f"Shown once. {path} keeps its hash; the service reads it when it starts, and on SIGHUP.", file=sys.stderr)  # noqa: T201  likewise
    return 0


def _list(path: Path) -> int:
    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8")).get("keys", {}) if path.exists() else {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    for name, key in keys.items():
        sources = ", ".join(key.get("sources", [])) or "any source"
        print(f"  {name:<16} {', '.join(key.get('scopes', [])):<16} {sources}")  # noqa: T201  the answer of the command
    if not keys:
        print(f"no keys in {path}; make one: log-aggregator keys new NAME --file {path}")  # noqa: T201  likewise
    return 0
