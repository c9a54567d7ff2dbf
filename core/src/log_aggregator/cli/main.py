"""`log-aggregator`: finds the command, imports it alone, and turns errors into one clear line."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from log_aggregator.cli import COMMANDS
from log_aggregator.errors import LogAggregatorError

GROUP = "log_aggregator.commands"
"""The entry-point group in which plugins offer commands: functions `(argv) -> exit code`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 well, 1 not, 2 wrong arguments."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else "--help"
    try:
        if name in COMMANDS:
            return _run_own(name, arguments[1:])
        if not name.startswith("-"):
            return _run_foreign(name, arguments[1:])
        return _overview(name)
    except LogAggregatorError as error:
        print(f"log-aggregator: {error}", file=sys.stderr)  # noqa: T201  the answer of a command
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130


def _run_own(name: str, arguments: list[str]) -> int:
    module = importlib.import_module(f"log_aggregator.cli.{name}")
    parser = argparse.ArgumentParser(
        prog=f"log-aggregator {name}",
        description=module.__doc__,
        epilog=module.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments)))


def _run_foreign(name: str, arguments: list[str]) -> int:
    import importlib_metadata  # noqa: PLC0415  a command of the core does not pay for it

    from log_aggregator.config.settings import nearest  # noqa: PLC0415  likewise

    points = {point.name: point for point in importlib_metadata.entry_points(group=GROUP)}
    if name not in points:
        hint = nearest(name, [*COMMANDS, *points]) or f"; if a plugin brings it: pip install log-aggregator-{name}"
        print(f"log-aggregator: {name}: no such command{hint}", file=sys.stderr)  # noqa: T201  the answer
        return 2
    return int(points[name].load()(arguments))


def _overview(flag: str) -> int:
    import importlib_metadata  # noqa: PLC0415  only the overview lists what plugins offer

    if flag == "--version":
        print(f"log-aggregator {importlib_metadata.version('log-aggregator')}")  # noqa: T201  the answer
        return 0
    lines = ["usage: log-aggregator COMMAND [...]", "", "Turns logs into patterns and keeps count of them.", ""]
    lines += [f"  {name:<10} {text}" for name, text in COMMANDS.items()]
    lines += [
        f"  {point.name:<10} (from {point.dist.name if point.dist else point.value})"
        for point in importlib_metadata.entry_points(group=GROUP)
    ]
    lines += ["", "log-aggregator COMMAND --help shows a command's options and examples.", ""]
    print("\n".join(lines))  # noqa: T201  the answer
    return 0 if flag in {"--help", "-h"} else 2
