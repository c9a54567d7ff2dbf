"""Send a made-up stream of several services, with an incident in it if wanted."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import msgspec

from log_aggregator_client import Delivery, DeliveryError
from log_aggregator_service.asking.service import Asked, AskingError
from log_aggregator_service.commands.arguments import positive, positive_int
from log_aggregator_service.commands.phone import Phone
from log_aggregator_service.commands.target import add_patience, add_target, delivery
from log_aggregator_service.demo import Incident, stream
from log_aggregator_service.sending.progress import Progress
from log_aggregator_service.sending.tally import Tally

SUMMARY = "send a made-up stream of several services"

EXAMPLES = """\
examples:
  log-aggregator demo                                  100 logs a second until Ctrl-C
  log-aggregator demo --rate 500 --seconds 60
  log-aggregator demo --incident 30:20 --seconds 90    trouble from second 30, for 20 seconds
  log-aggregator demo --incident --notify-to local     and show what a phone would get
  log-aggregator demo --past 3600 --rate 50            an hour of logs, at once
  log-aggregator demo --stdout --count 1000 > demo.ndjson

The same --seed makes the same logs; only their timestamps follow the clock."""

_TICK = 0.2
_MOST = 5000
_RING = 60.0
"""Seconds to wait for a notification after the last log."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    add_target(parser)
    parser.add_argument("--rate", type=positive, default=100.0, metavar="N", help="logs a second (default: 100)")
    parser.add_argument("--seconds", type=positive, metavar="S", help="end after so long (default: with Ctrl-C)")
    parser.add_argument("--count", type=positive_int, metavar="N", help="end after so many logs")
    parser.add_argument("--seed", type=int, default=0, help="another number, other logs (default: 0)")
    parser.add_argument(
        "--incident", type=incident, metavar="AT[:SECONDS]", nargs="?", const=incident("10:120"),
        help="the payment provider is down (default: from second 10 on, for 120 seconds)",
    )  # fmt: skip
    parser.add_argument(
        "--notify-to", choices=("local",), help="receive notifications of the service here, as a phone would show them"
    )
    parser.add_argument("--past", type=positive, metavar="S", help="logs of the last S seconds, as fast as possible")
    parser.add_argument("--stdout", action="store_true", help="write NDJSON instead of sending, without waiting")
    add_patience(parser)


def incident(text: str) -> Incident:
    """`AT` or `AT:SECONDS`, for argparse."""
    at, _, seconds = text.partition(":")
    try:
        return Incident(float(at), positive(seconds or "60"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds such as 30 or 30:20") from None


def run(args: argparse.Namespace) -> int:
    """Make logs and send them."""
    start = time.time() - (args.past or 0.0)
    logs = _logs(args, start)
    if args.stdout:
        return _print(logs)
    try:
        target = delivery(args, "demo")
    except ValueError as error:
        sys.stderr.write(f"log-aggregator demo: {error}\n")
        return 2
    try:
        phone = _phone(args) if args.notify_to else None
    except AskingError as error:
        sys.stderr.write(f"log-aggregator demo: {args.url}: --notify-to local: {error}\n")
        return 1
    tally = Tally()
    progress = Progress(sys.stderr, args.count)
    problem, code = "", 0
    try:
        _send(target, logs, tally, progress)
    except DeliveryError as error:
        problem, code = f"log-aggregator demo: stopped: {error}\n", 1
    except KeyboardInterrupt:
        pass
    tally.retries = target.retries
    progress.close()
    target.close()
    sys.stderr.write(f"{tally.report()}\n{problem}")
    if phone is not None:
        rang = phone.rang.wait(0 if code else _RING)
        phone.close()
        code = code or (0 if rang else 1)
        sys.stderr.write("" if rang else "log-aggregator demo: no notification came\n")
    return code or (1 if tally.refused else 0)


def _phone(args: argparse.Namespace) -> Phone:
    """A receiver that the service notifies from now on. Raises `AskingError`."""
    phone = Phone(lambda screen: print(f"\n{screen}", flush=True))  # noqa: T201  what the command is for
    try:
        Asked(args.url).send("POST", "/notify-to", {"url": phone.url, "seconds": 3600})
    except AskingError:
        phone.close()
        raise
    return phone


def _logs(args: argparse.Namespace, start: float) -> Iterator[tuple[float, bytes]]:
    """(when it is due in epoch seconds, log as JSON), until the asked time or count is reached."""
    encode = msgspec.json.Encoder().encode
    limit = args.seconds or args.past
    logs = stream(seed=args.seed, start=start, rate=args.rate, incident=args.incident)
    for log in islice(logs, args.count):
        due = datetime.fromisoformat(log["timestamp"]).timestamp()
        if limit is not None and due > start + limit:
            return
        yield due, encode(log)


def _send(target: Delivery, logs: Iterator[tuple[float, bytes]], tally: Tally, progress: Progress) -> None:
    batch: list[bytes] = []
    for due, log in logs:
        ahead = due - time.time()
        if len(batch) >= _MOST or (batch and ahead > 0):
            _deliver(target, batch, tally, progress)
            batch = []
        if ahead > 0:
            time.sleep(ahead + _TICK)
        batch.append(log)
    if batch:
        _deliver(target, batch, tally, progress)


def _deliver(target: Delivery, batch: list[bytes], tally: Tally, progress: Progress) -> None:
    tally.add(target.send(batch), [f"log {tally.sent + number}" for number in range(1, len(batch) + 1)])
    progress.show(tally.sent, tally.sent)


def _print(logs: Iterator[tuple[float, bytes]]) -> int:
    out = sys.stdout.buffer
    try:
        for _, log in logs:
            out.write(log + b"\n")
        out.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as with `| head`. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    except KeyboardInterrupt:
        out.flush()
    return 0
