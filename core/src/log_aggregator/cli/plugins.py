"""List the installed plugins: which are on, in which order, and why the others are off. Imports none of them.

With a name: what this plugin does, and its options with their defaults. Imports this one.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from log_aggregator.config.pipeline import plugins_in_files, read_journal
from log_aggregator.config.settings import load_settings, nearest
from log_aggregator.errors import ConfigError
from log_aggregator.plugins.configured import Pipeline, read_pipeline
from log_aggregator.plugins.entry_points import installed_plugins
from log_aggregator.plugins.journals import installed_journals
from log_aggregator.plugins.single_file import plugin_class

EXAMPLES = """examples:
  log-aggregator plugins
  log-aggregator plugins patterns
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("name", nargs="?", help="show the options of this plugin")
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )


def run(args: argparse.Namespace) -> int:
    """Print one line a plugin, or the options of one."""
    pipeline = read_pipeline(load_settings(os.environ), args.plugins)
    if args.name:
        print("\n".join(_described(args.name, pipeline)))  # noqa: T201  the answer of the command
        return 0
    rows = _rows(pipeline)
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [f"  {name:<{widths[0]}}  {release:<{widths[1]}}  {state}" for name, release, state in rows]
    print("\n".join(lines) or f"no plugin is installed or named in {pipeline.name}")  # noqa: T201  likewise
    return 0


def _rows(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    """Name, release and state of each plugin: those of the pipeline in its order, then the others."""
    releases = {name: f"{p.dist.name} {p.dist.version}" if p.dist else "?" for name, p in installed_plugins().items()}
    releases |= {name: str(file) for name, file in _files(pipeline).items()}
    rows = []
    for entry in pipeline.entries:
        reason = entry.why_off(os.environ)
        state = "on" if reason is None else f"off: {reason}"
        rows.append((entry.name, releases.get(entry.name, "not installed"), state))
    left_out = sorted(pipeline.left_out.items())
    rows += [(name, releases.get(name, "not installed"), f"off: {reason}") for name, reason in left_out]
    return rows + _journals(pipeline)


def _journals(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    kind = read_journal(pipeline.file).kind if pipeline.file is not None else ""
    return [
        (
            name,
            f"{point.dist.name} {point.dist.version}" if point.dist else "?",
            "on: the journal" if name == kind else "off: a journal; name it as `kind` in [journal]",
        )
        for name, point in sorted(installed_journals().items())
    ]


def _files(pipeline: Pipeline) -> dict[str, Path]:
    return plugins_in_files(pipeline.file) if pipeline.file is not None else {}


def _described(name: str, pipeline: Pipeline) -> list[str]:
    """The description of a plugin. Raises `ConfigError` when there is none of this name, or it cannot be imported."""
    from log_aggregator.cli.options import described_options, first_paragraph, hooks_of  # noqa: PLC0415  the list needs none of it

    installed = {**installed_journals(), **installed_plugins()}
    file = _files(pipeline).get(name)
    if file is None and name not in installed:
        raise ConfigError(f"plugins {name}: no plugin of this name is installed{nearest(name, list(installed))}")
    try:
        factory = plugin_class(file) if file else installed[name].load()
    except (Exception, SystemExit) as error:
        raise ConfigError(f"plugins {name}: cannot be imported: {type(error).__name__}: {error}") from error
    dist = None if file else installed[name].dist
    lines = [f"{name}  ({dist.name} {dist.version})" if dist else f"{name}  ({file})"]
    lines += [f"  {line}" for line in first_paragraph(factory)]
    if name in installed_journals():
        lines += ["", "[journal]", f'kind = "{name}"']
    else:
        lines += ["", f"  hooks: {', '.join(hooks_of(factory)) or 'none of the core'}", "", f"[plugins.{name}]"]
    return lines + described_options(factory)
