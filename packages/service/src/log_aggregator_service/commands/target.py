"""Which service a command talks to: the options and variables that send, demo and top share."""

from __future__ import annotations

import argparse
import os

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


def delivery(args: argparse.Namespace) -> Delivery:
    """The connection that the arguments describe. Raises `ValueError` for a wrong `--url`."""
    key = os.environ.get("LOG_AGGREGATOR_API_KEY", "")
    return Delivery(args.url, patience=args.patience, api_key=key, tls=client_context(os.environ))
