"""List the installed plugins: which are on, in which order, and why the others are off. Imports none of them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from log_aggregator.config.settings import load_settings
from log_aggregator.plugins.configured import read_pipeline
from log_aggregator.plugins.registry import installed_plugins

EXAMPLES = """examples:
  log-aggregator plugins
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )


def run(args: argparse.Namespace) -> int:
    """Print one line a plugin."""
    pipeline = read_pipeline(load_settings(os.environ), args.plugins)
    installed = installed_plugins()
    lines = []
    for entry in pipeline.entries:
        point = installed.get(entry.name)
        release = f"{point.dist.name} {point.dist.version}" if point and point.dist else "not installed"
        reason = entry.why_off(os.environ)
        lines.append(f"  {entry.name:<12} {release:<36} {'on' if reason is None else 'off: ' + reason}")
    for name, reason in sorted(pipeline.left_out.items()):
        point = installed.get(name)
        release = f"{point.dist.name} {point.dist.version}" if point and point.dist else "not installed"
        lines.append(f"  {name:<12} {release:<36} off: {reason}")
    print("\n".join(lines) or f"no plugin is installed or named in {pipeline.name}")  # noqa: T201  the answer of the command
    return 0
