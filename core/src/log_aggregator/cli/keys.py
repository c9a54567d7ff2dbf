"""Make and list API keys. A key's secret is shown once; the file keeps its hash."""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from log_aggregator.config.settings import load_settings
from log_aggregator.errors import ConfigError

SCOPES = ("ingest", "read", "write", "admin")

EXAMPLES = """examples:
  log-aggregator keys new node-red --file keys.toml
  log-aggregator keys new shop --source shop --source 'shop-*' --file keys.toml
  log-aggregator keys new grafana --scope read --expires 365d --file keys.toml
  log-aggregator keys new partner --rate 100 --quota 1000000 --file keys.toml
  log-aggregator keys list --file keys.toml
  API_KEYS_FILE=keys.toml log-aggregator serve      # from now on a key is asked for
  curl -H 'Authorization: Bearer THE-KEY' http://localhost:8004/stats
"""

_SPAN = re.compile(r"([1-9][0-9]{0,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("action", choices=("new", "list"))
    parser.add_argument("name", nargs="?", help="who has the key")
    parser.add_argument("--file", type=Path, help="where keys are kept (default: API_KEYS_FILE)")
    parser.add_argument("--scope", action="append", choices=SCOPES, help="what it may do (default: ingest)")
    parser.add_argument(
        "--source", action="append", default=[], help="a source it may send for and read of (default: any)"
    )
    parser.add_argument("--expires", type=moment, metavar="WHEN", help="a date, or a span such as 90d (default: never)")
    parser.add_argument("--rate", type=float, metavar="N", help="logs a second (default: any)")
    parser.add_argument("--quota", type=int, metavar="N", help="logs a day (default: any)")


def moment(text: str) -> datetime:
    """`90d`, `12h`, `4w` from now, or an ISO 8601 date or time; for argparse."""
    span = _SPAN.fullmatch(text)
    try:
        if span:
            return datetime.now(UTC) + timedelta(**{_UNITS[span[2]]: int(span[1])})
        when = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a date such as 2027-01-31, or a span such as 90d"
        ) from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def run(args: argparse.Namespace) -> int:
    """Do one of the actions."""
    path = args.file or (Path(os.environ["API_KEYS_FILE"]) if os.environ.get("API_KEYS_FILE") else None)
    if path is None:
        raise ConfigError("keys: where are they kept? Give --file keys.toml, or set API_KEYS_FILE")
    if args.action == "list":
        return _list(path)
    if not args.name:
        raise ConfigError("keys new: a name is missing: who gets the key?")
    from log_aggregator.http.access.keys import Limits, add_key  # noqa: PLC0415  brings the web server's imports

    limits = Limits(args.expires, args.rate, args.quota)
    token = add_key(path, args.name, args.scope or ("ingest",), args.source, limits)
    print(token)  # noqa: T201  the answer of the command
    print(f"Shown once. {path} keeps its hash; the service reads it when it starts, and on SIGHUP.", file=sys.stderr)  # noqa: T201  likewise
    return 0


def _list(path: Path) -> int:
    from log_aggregator.http.access.keys import KeyRing  # noqa: PLC0415  brings the web server's imports
    from log_aggregator.http.access.ledger import last_uses  # noqa: PLC0415  likewise

    keys = list(KeyRing.read(path)) if path.exists() else []
    used = last_uses(load_settings(os.environ).data_dir)
    for key in keys:
        limits = [
            ", ".join(key.sources) or "any source",
            f"used {used[key.name]:%Y-%m-%d %H:%M}Z" if key.name in used else "never used",
            *([f"expire{'d' if key.is_expired() else 's'} {key.expires:%Y-%m-%d}"] if key.expires else []),
            *([f"{key.rate:g} logs/s"] if key.rate else []),
            *([f"{key.quota} logs/day"] if key.quota else []),
        ]
        print(f"  {key.name:<16} {', '.join(key.scopes):<16} {'; '.join(limits)}")  # noqa: T201  the answer of the command
    if not keys:
        print(f"no keys in {path}; make one: log-aggregator keys new NAME --file {path}")  # noqa: T201  likewise
    return 0
