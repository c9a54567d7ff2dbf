"""Write a new plugin package: rules, a stage, a sink or a receiver, with tests that pass."""

from __future__ import annotations

import argparse
from pathlib import Path

from log_aggregator.errors import ConfigError
from log_aggregator.plugins.entry_points import installed_plugins
from log_aggregator_dev.scaffold import KINDS, Names, write_package

SUMMARY = "write a new plugin package: rules, a stage, a sink or a receiver"

EXAMPLES = """examples:
  log-aggregator new rules nginx
  log-aggregator new sink webhook --directory ~/plugins/webhook
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    kinds = "; ".join(f"{kind}: {text.split(': ', 1)[1]}" for kind, text in KINDS.items())
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=kinds)
    parser.add_argument("name", metavar="NAME", help="as in plugins.toml: [plugins.NAME]")
    parser.add_argument("--directory", metavar="DIR", type=Path, help="default: log-aggregator-NAME")


def run(args: argparse.Namespace) -> int:
    """Write the package and say what comes next."""
    directory = args.directory or Path(f"log-aggregator-{args.name}")
    names = Names.of(args.name)
    if names.name in installed_plugins():
        raise ConfigError(f"NAME {names.name!r}: an installed plugin has this name; choose another")
    files = write_package(args.kind, names, directory)
    lines = [f"{directory}: {KINDS[args.kind]}", ""]
    lines += [f"  {path.relative_to(directory)}" for path in files]
    lines += [
        "",
        "Next:",
        f"  cd {directory}",
        "  pip install -e '.[test]'",
        "  pytest",
        "  log-aggregator check            # reads the plugins.toml beside it, which names the plugin",
        "  log-aggregator serve",
    ]
    print("\n".join(lines))  # noqa: T201  the answer of the command
    return 0
