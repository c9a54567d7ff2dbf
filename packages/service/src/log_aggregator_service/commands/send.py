"""Send a file or a pipe of logs to a service."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from pathlib import Path

from log_aggregator_client import Delivery, DeliveryError
from log_aggregator_service.commands.arguments import positive, positive_int
from log_aggregator_service.commands.target import add_patience, add_target, delivery
from log_aggregator_service.sending.batches import batches
from log_aggregator_service.sending.progress import Progress
from log_aggregator_service.sending.source import Log, read_logs
from log_aggregator_service.sending.tally import Tally

SUMMARY = "send a file or a pipe of logs to a service"

EXAMPLES = """\
examples:
  log-aggregator send app.log --source shop
  journalctl -f -o cat | log-aggregator send - --source $(hostname)
  log-aggregator send logs.ndjson --batch 5000
  log-aggregator send export.json --rate 2000
  zcat app.log.2.gz | log-aggregator send - --source shop

Raw lines, NDJSON and JSON are told apart by the first line; --format decides where that is wrong.
An API key is read from LOG_AGGREGATOR_API_KEY. The exit code is 0 when every log was accepted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("file", metavar="FILE|-", help="what to send; - is standard input")
    add_target(parser)
    parser.add_argument("--source", help="source of logs that name none")
    parser.add_argument("--level", help="level of logs that name none")
    parser.add_argument("--format", choices=["auto", "raw", "json", "ndjson"], default="auto", help="default: auto")
    parser.add_argument("--batch", type=positive_int, default=1000, metavar="N", help="logs together (default: 1000)")
    parser.add_argument("--rate", type=positive, metavar="N", help="at most so many logs a second (default: no limit)")
    add_patience(parser)


def run(args: argparse.Namespace) -> int:
    """Send everything and say what became of it."""
    defaults = {name: value for name in ("source", "level") if (value := getattr(args, name))}
    try:
        target = delivery(args)
        descriptor = _opened(args.file)
    except OSError as error:
        sys.stderr.write(f"log-aggregator send: {args.file}: {error.strerror}\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"log-aggregator send: {error}\n")
        return 2
    tally = Tally("line")
    progress = Progress(sys.stderr, Path(args.file).stat().st_size if args.file != "-" else None)
    problem, code = "", 0
    try:
        for batch in batches(read_logs(descriptor, args.format, defaults), _batch_size(args)):
            _send(target, batch, tally, args.rate)
            progress.show(batch[-1].read, tally.sent)
    except (DeliveryError, ValueError, OSError) as error:
        problem, code = f"log-aggregator send: {args.file}: stopped: {error}; what came after was not sent\n", 1
    except KeyboardInterrupt:
        problem, code = "log-aggregator send: interrupted; a batch under way may have been accepted\n", 130
    tally.retries = target.retries
    progress.close()
    target.close()
    sys.stderr.write(f"{tally.report()}\n{problem}")
    return code or (1 if tally.refused else 0)


def _send(target: Delivery, batch: list[Log], tally: Tally, rate: float | None) -> None:
    if rate is not None:
        time.sleep(max(0.0, tally.sent / rate - tally.seconds))
    tally.unit = batch[0].unit
    tally.add(target.send([log.body for log in batch]), [log.number for log in batch])


def _opened(name: str) -> int:
    if name == "-":
        return 0
    if Path(name).is_dir():
        raise IsADirectoryError(errno.EISDIR, "a directory; send its files one by one")
    return os.open(name, os.O_RDONLY)


def _batch_size(args: argparse.Namespace) -> int:
    """At a low rate small batches, so that logs come evenly: about five a second."""
    size: int = args.batch
    return size if args.rate is None else max(1, min(size, int(args.rate / 5)))
