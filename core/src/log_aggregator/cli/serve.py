"""Run the service: takes logs over HTTP, keeps them in the journal, delivers the aggregates to the sinks.

Everything is set by plugins.toml and by the environment variables below. Without a plugins.toml a built-in pipeline
runs, which `log-aggregator config` prints. Other machines reach the service when HOST is set to 0.0.0.0.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from log_aggregator.config.place import left_over, read_place, wanted
from log_aggregator.config.settings import described, load_settings
from log_aggregator.http.access.exposure import access_of, check_exposure
from log_aggregator.plugins.configured import load_registry
from log_aggregator.service import logs
from log_aggregator.service.server import serve
from log_aggregator.service.workers.supervisor import Supervisor

EXAMPLES = """examples:
  log-aggregator serve
  HOST=0.0.0.0 log-aggregator serve                  other machines may connect
  WORKERS=auto log-aggregator serve
  PORT=9000 DATA_DIR=/var/lib/log-aggregator log-aggregator serve
  POSTGRES_HOST=db POSTGRES_USER=logs POSTGRES_PASSWORD=… log-aggregator serve

environment variables and their defaults:
""" + "".join(f"  {name:<24} {default:<14} {meaning}\n" for name, default, meaning in described())


_MALLOC = {-8: 2, -3: 1 << 20, -1: 1 << 20}
"""glibc's M_ARENA_MAX: 2, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD: 1 MiB each."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )
    parser.add_argument(
        "--dev", action="store_true", help="for authors: start again at each change of a plugin's files"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0 after an orderly stop."""
    settings = load_settings(os.environ)
    if args.plugins is not None:
        settings = settings.model_copy(update={"plugins_file": args.plugins})
    check_exposure(settings)
    os.umask(0o077)  # logs are nobody else's: files 0600, directories 0700
    if args.dev:
        from log_aggregator.cli.dev import DevServer  # noqa: PLC0415  a service for others does without it

        return DevServer(settings.plugins_file).run()
    logs.configure(settings.log_level, settings.log_format)
    if access_of(settings) == "anonymous":
        logging.getLogger(__name__).warning(
            "everyone who reaches this address can send and read logs (ALLOW_ANONYMOUS)", extra={"host": settings.host}
        )
    # Some supervisors ignore SIGCHLD, and a child inherits that: then nobody learns how a worker or plugin ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    place, count = read_place(os.environ), wanted(settings.workers)
    registry = load_registry(settings, os.environ)
    if place is None and (count > 1 or left_over(settings.data_dir, 1)):
        return asyncio.run(Supervisor(settings, count).run())
    # Batches of records are large and hold no cycles: collecting at every 700 objects only costs time.
    # What is kept (groups of new sources and patterns) is not freed either: a middle generation of a million of its
    # objects stops the loop for half a second, one of 30,000 for tens of milliseconds at most.
    gc.freeze()
    gc.set_threshold(10_000, 2, 2500)
    _give_memory_back()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(settings, registry, place))
    return 0


def _give_memory_back() -> None:
    """Let glibc return what a flush took: by default it keeps larger and larger blocks, in an arena a thread."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        for option, value in _MALLOC.items():
            mallopt(option, value)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        print("uvloop is not installed; the slower standard event loop is used", file=sys.stderr)  # noqa: T201  seen once
        return None
    return uvloop.new_event_loop
