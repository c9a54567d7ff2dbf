"""Keep that something happened, such as a deployment; every time may then be written `mark:NAME`. Lists marks, too."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from typing import Any

from log_aggregator_service.asking.output import add_json, print_answer, when
from log_aggregator_service.asking.service import Asked, asking
from log_aggregator_service.asking.times import time_argument
from log_aggregator_service.commands.screen import plain
from log_aggregator_service.commands.target import add_target

SUMMARY = "keep that something happened, or list what did"

EXAMPLES = """examples:
  log-aggregator mark "deploy 1.4"
  log-aggregator mark "deploy 1.4" --at 14:00 --source shop --link https://ci.example.org/77
  log-aggregator mark --list
  log-aggregator compare mark:deploy-1.4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("title", nargs="?", help="what happened")
    what.add_argument("--list", action="store_true", help="list the marks of the last 30 days")
    what.add_argument("--remove", metavar="ID", help="forget a mark")
    parser.add_argument("--at", type=time_argument, metavar="TIME", help="when (default: now)")
    parser.add_argument("--source", default="", help="the source that it concerns")
    parser.add_argument("--link", default="", metavar="URL", help="an address with more")
    add_json(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    """Set, list or remove marks."""

    def work(service: Asked) -> int:
        if args.list:
            page = service.get("/marks", since="-30d", limit=1000)
            return print_answer(args, page, map(_line, page["marks"]))
        if args.remove:
            service.send("DELETE", f"/marks/{args.remove}")
            return 0
        body = {"title": args.title, "at": args.at, "source": args.source, "url": args.link, "by": who()}
        mark = service.send("POST", "/marks", body)
        return print_answer(args, mark, [_line(mark)])

    return asking("mark", args, work)


def who() -> str:
    """Who changes something, where no API key says it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an id without a name, as in a container
        return ""


def _line(mark: Mapping[str, Any]) -> str:
    more = "  ".join(plain(mark[name]) for name in ("source", "url", "by") if mark[name])
    return f"{when(mark['at'])}  {mark['id']}  mark:{plain(mark['slug'])}  {plain(mark['title'])}  {more}".rstrip()
