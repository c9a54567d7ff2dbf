"""`log-aggregator`: finds the command, imports it alone, and turns errors into one clear line."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from log_aggregator.cli import COMMANDS, ELSEWHERE, GROUP
from log_aggregator.errors import LogAggregatorError

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint

DISTRIBUTION = "log-aggregator-core"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 well, 1 not, 2 wrong arguments."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else "--help"
    try:
        if name in COMMANDS:
            return _run(name, importlib.import_module(f"log_aggregator.cli.{name}"), arguments[1:])
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


def _run(name: str, module: Any, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=f"log-aggregator {name}",
        description=module.__doc__,
        epilog=module.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments)))


def _run_foreign(name: str, arguments: list[str]) -> int:
    from log_aggregator.config.settings import nearest  # noqa: PLC0415  a command of the core does not pay for it

    points = _foreign()
    if name not in points:
        missing = ELSEWHERE.get(name)
        hint = (
            f"; it comes with {missing}: pip install {missing}"
            if missing
            else nearest(name, [*COMMANDS, *points]) or f"; if a plugin brings it: pip install log-aggregator-{name}"
        )
        print(f"log-aggregator: {name}: no such command{hint}", file=sys.stderr)  # noqa: T201  the answer
        return 2
    command = points[name].load()
    return int(command(arguments)) if callable(command) else _run(name, command, arguments)


def _foreign() -> dict[str, EntryPoint]:
    """The commands of other packages, by name."""
    import importlib_metadata  # noqa: PLC0415  a command of the core does not pay for it

    return {point.name: point for point in importlib_metadata.entry_points(group=GROUP)}


def commands() -> list[tuple[str, str, Any]]:
    """All commands that are installed: name, line of the overview, and module; `None` for one that is a function."""
    own = [(name, text, importlib.import_module(f"log_aggregator.cli.{name}")) for name, text in COMMANDS.items()]
    others = []
    for name, point in sorted(_foreign().items()):
        summary = _summary(point)
        loaded = None if summary.startswith("(") else point.load()
        others.append((name, summary, loaded if hasattr(loaded, "add_arguments") else None))
    return [*own, *others]


def _overview(flag: str) -> int:
    if flag == "--version":
        import importlib_metadata  # noqa: PLC0415  a command of the core does not pay for it

        print(f"log-aggregator {importlib_metadata.version(DISTRIBUTION)}")  # noqa: T201  the answer
        return 0
    lines = ["usage: log-aggregator COMMAND [...]", "", "Turns logs into patterns and keeps count of them.", ""]
    lines += [f"  {name:<10} {text}" for name, text in COMMANDS.items()]
    lines += [f"  {name:<10} {_summary(point)}" for name, point in sorted(_foreign().items())]
    lines += ["", "log-aggregator COMMAND --help shows a command's options and examples.", ""]
    print("\n".join(lines))  # noqa: T201  the answer
    return 0 if flag in {"--help", "-h"} else 2


def _summary(point: EntryPoint) -> str:
    """A command's line for the overview. A package that cannot be imported is named, and the others are shown."""
    package = point.dist.name if point.dist else point.value
    try:
        return getattr(point.load(), "SUMMARY", f"(from {package})")
    except Exception as error:  # noqa: BLE001  code of any package
        return f"({package}: cannot be imported: {type(error).__name__}: {error})"
