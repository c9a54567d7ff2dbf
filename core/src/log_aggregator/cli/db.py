"""Look at the store of the pipeline. `size` says what takes room, by source and pattern, and what settings would save.

It runs the command of the store that plugins.toml and the environment turn on, such as `log-aggregator sqlite size`.
"""

from __future__ import annotations

import argparse
import importlib
import os
from pathlib import Path

import importlib_metadata

from log_aggregator.cli import GROUP
from log_aggregator.config.settings import load_settings
from log_aggregator.errors import ConfigError
from log_aggregator.plugins.configured import read_pipeline

EXAMPLES = """examples:
  log-aggregator db size
  log-aggregator db size --top 30
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    actions = parser.add_subparsers(dest="action", required=True)
    size = actions.add_parser("size", help="what takes room, and what a setting would save")
    size.add_argument("--top", type=int, default=10, metavar="N", help="sources and patterns to list (default: 10)")
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the action for each store that is on; the highest exit code. Raises `ConfigError` when there is none."""
    pipeline = read_pipeline(load_settings(os.environ), args.plugins)
    points = {point.name: point for point in importlib_metadata.entry_points(group=GROUP)}
    codes = []
    for entry in pipeline.entries:
        point = points.get(entry.name)
        if point is None or entry.why_off(os.environ) is not None:
            continue
        if args.action in getattr(importlib.import_module(point.module), "DB_ACTIONS", ()):
            codes.append(int(point.load()([args.action, "--top", str(args.top)])))
    if not codes:
        raise ConfigError(f"db {args.action}: no store of {pipeline.name} is on that offers it")
    return max(codes)
