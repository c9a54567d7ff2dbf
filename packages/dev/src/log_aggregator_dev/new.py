"""Write a new plugin package with tests that pass: rules, a stage, a sink, a store, a receiver, a command or a page."""

from __future__ import annotations

import argparse
from pathlib import Path

import importlib_metadata

from log_aggregator.cli import COMMANDS, ELSEWHERE, GROUP
from log_aggregator.errors import ConfigError
from log_aggregator.plugins.entry_points import installed_plugins
from log_aggregator_dev.scaffold import KINDS, Names, write_package

SUMMARY = "write a new plugin package: rules, a stage, a sink, a store, a receiver, a command or a page"

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
    if args.kind == "command":
        if names.name in {*COMMANDS, *ELSEWHERE, *installed_commands()}:
            raise ConfigError(f"NAME {names.name!r}: `log-aggregator {names.name}` exists already; choose another")
    elif names.name in installed_plugins():
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
        "  log-aggregator check            # reads the plugins.toml beside it",
        f"  log-aggregator {names.name if args.kind == 'command' else 'serve --dev'}",
    ]
    print("\n".join(lines))  # noqa: T201  the answer of the command
    return 0


def installed_commands() -> set[str]:
    """The names of commands that other packages brought."""
    return {point.name for point in importlib_metadata.entry_points(group=GROUP)}
