"""Print the built-in pipeline, which runs where there is no plugins.toml, as the text of such a file.

A plugin that is not installed stands in it as a comment.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from log_aggregator.config.default_pipeline import default_text
from log_aggregator.plugins.entry_points import installed_plugins

EXAMPLES = """examples:
  log-aggregator config
  log-aggregator config --write plugins.toml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--write", metavar="FILE", type=Path, help="write it to a new file instead of printing it")


def run(args: argparse.Namespace) -> int:
    """Print or write the text; a file that exists is left as it is."""
    text = default_text(installed_plugins())
    if args.write is None:
        sys.stdout.write(text)
        return 0
    try:
        with args.write.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        sys.stderr.write(f"log-aggregator config: {args.write}: exists already; it was left as it is\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"log-aggregator config: {args.write}: {error.strerror}\n")
        return 1
    sys.stderr.write(f"{args.write} written; log-aggregator check shows the pipeline\n")
    return 0
