"""Which service a command talks to: the options and variables that send, demo and top share."""

from __future__ import annotations

import argparse
import os
import sys

from log_aggregator.config.client_tls import client_context
from log_aggregator_client import Delivery
from log_aggregator_service.commands.arguments import positive

URL = "http://127.0.0.1:8004"


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add `--url`. An API key comes from the environment, where other users of the machine cannot read it."""
    parser.add_argument(
        "--url", default=os.environ.get("LOG_AGGREGATOR_URL") or URL, help="the service (default: %(default)s)"
    )


def add_patience(parser: argparse.ArgumentParser) -> None:
    """Add `--patience`."""
    parser.add_argument(
        "--patience", type=positive, default=60.0, metavar="SECONDS",
        help="how long to try a batch while the service is away or overloaded (default: 60)",
    )  # fmt: skip


def delivery(args: argparse.Namespace, command: str, *, is_endless: bool = False) -> Delivery:
    """The connection that the arguments describe. Raises `ValueError` for a wrong `--url`.

    While the service is away, `command` says so at once on standard error, and for how long it waits; without an end
    where it `is_endless`.
    """
    patience = float("inf") if is_endless else args.patience
    limit = "until it is there" if is_endless else f"for up to {args.patience:g} s (--patience)"

    def say(problem: str) -> None:
        sys.stderr.write(f"log-aggregator {command}: {args.url}: {problem}; waiting for the service {limit}\n")
        sys.stderr.flush()

    key = os.environ.get("LOG_AGGREGATOR_API_KEY", "")
    return Delivery(args.url, patience=patience, api_key=key, tls=client_context(os.environ), on_wait=say)
