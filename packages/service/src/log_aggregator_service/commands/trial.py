"""Run the logs of a file through the stages of plugins.toml and show what became of each. Stores and sends nothing.

Every run starts without anything learned. A stage that fails is shown with the text of its exception.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from log_aggregator.cli.watching import Times, files_of, forget_plugins, times_of, wait_for_change
from log_aggregator.config.pipeline import PluginEntry
from log_aggregator.config.settings import load_settings
from log_aggregator.errors import LogAggregatorError
from log_aggregator.plugins.registry import Registry
from log_aggregator_service.trial.outcomes import Outcome, try_logs
from log_aggregator_service.trial.pipeline import entries_of
from log_aggregator_service.trial.reading import read_records
from log_aggregator_service.trial.showing import as_json, as_text

SUMMARY = "show what the stages make of the logs of a file"

EXAMPLES = """examples:
  echo 'User 123 logged in' | log-aggregator try -
  log-aggregator try app.log --json | jq 'select(.outcome != "kept")'
  log-aggregator try app.log --watch                    # again whenever plugins.toml, a rule or a plugin is saved
  log-aggregator try app.log --plugin my_stage.py       # a plugin in a single file, without a package
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("file", metavar="FILE|-", help="logs; - is standard input")
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )
    parser.add_argument(
        "--plugin", metavar="FILE.py", type=Path, help="a plugin in a single file, added to the pipeline"
    )
    parser.add_argument(
        "--format",
        choices=("auto", "raw", "json", "ndjson"),
        default="auto",
        help="how logs are written (default: auto)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a log")
    parser.add_argument("--watch", action="store_true", help="again at every change of a file, until Ctrl-C")


def run(args: argparse.Namespace) -> int:
    """Read, run the stages, print; 1 when something could not be read or set up, or a stage failed."""
    trial = _Trial(args)
    if not args.watch:
        return trial.once()
    sys.dont_write_bytecode = True  # bytecode tells changes of one second apart by their size alone
    while True:
        trial.once()
        trial.announce(wait_for_change(trial.seen))


class _Trial:
    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._settings = load_settings(os.environ)
        self._plugins_file = args.plugins or self._settings.plugins_file
        self._stdin = sys.stdin.buffer.read() if args.file == "-" else b""
        self._entries: list[PluginEntry] = []
        self.seen: Times = {}
        """The files of the last run, as they were before it read them."""

    def once(self) -> int:
        """One run."""
        self.seen = self._times()
        try:
            data = self._stdin if self._args.file == "-" else Path(self._args.file).read_bytes()
            logs = read_records(data, self._args.format)
            self._entries = entries_of(self._settings, self._args.plugins, self._args.plugin)
            self.seen = self._times() | self.seen
            outcomes = try_logs(Registry(self._entries, os.environ), self._settings, logs)
        except (OSError, ValueError, LogAggregatorError) as error:
            text = f"{self._args.file}: {error.strerror}" if isinstance(error, OSError) else str(error)
            sys.stderr.write(f"log-aggregator try: {text}\n")
            return 1
        self._print(outcomes)
        return 1 if any(one.failures for one in outcomes) else 0

    def _times(self) -> Times:
        files = {self._plugins_file, *files_of(self._entries)}
        files |= {path for path in (self._args.plugin,) if path}
        return times_of(files if self._args.file == "-" else {*files, Path(self._args.file)})

    def announce(self, changed: list[Path]) -> None:
        """Say what changed, on a screen of its own where there is one, and let the plugins be imported anew."""
        forget_plugins(self._entries)
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[2J\x1b[H")
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} changed: {', '.join(path.name for path in changed)}\n")

    def _print(self, outcomes: list[Outcome]) -> None:
        for text in as_json(outcomes) if self._args.json else as_text(outcomes):
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
