"""Check plugins.toml, the environment and every plugin, and print the pipeline in order. Starts nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from log_aggregator.config.journal import embedded
from log_aggregator.config.pipeline import read_journal, read_tests
from log_aggregator.config.settings import load_settings, near_misses
from log_aggregator.errors import ConfigError
from log_aggregator.http.access.clients import Clients
from log_aggregator.http.access.exposure import check_exposure
from log_aggregator.http.access.keys import KeyRing
from log_aggregator.http.access.origins import Origins
from log_aggregator.http.tls import server_context
from log_aggregator.plugins.configured import read_pipeline
from log_aggregator.plugins.conformance import tests_of_plugins
from log_aggregator.plugins.journals import load_journal
from log_aggregator.plugins.registry import Registry

JOURNAL_DEADLINE = 20.0
"""Seconds that the journal's own check may take."""

EXAMPLES = """examples:
  log-aggregator check
  POSTGRES_HOST=db log-aggregator check --plugins /etc/log-aggregator/plugins.toml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--plugins", metavar="FILE", type=Path, help="the pipeline (default: PLUGINS_FILE or plugins.toml)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the pipeline; errors are raised as `ConfigError`."""
    settings = load_settings(os.environ)
    pipeline = read_pipeline(settings, args.plugins)
    registry = Registry(pipeline.entries, os.environ)
    Clients(settings.trusted_proxies)
    Origins(settings.allowed_origins)
    check_exposure(settings)
    server_context(settings)
    if settings.api_keys_file is not None:
        KeyRing.read(settings.api_keys_file)
    lines = [f"{pipeline.name}: good. The pipeline, in order:", ""]
    width = len(str(len(registry.plugins)))
    for number, plugin in enumerate(registry.plugins, 1):
        hooks = ", ".join(plugin.hooks) or "no hooks: it does nothing; mark its methods with @hookimpl"
        lines.append(f"  {number:>{width}}. {plugin.name:<12} {plugin.distribution} {plugin.version}  ({hooks})")
    off = sorted((registry.off | pipeline.left_out).items())
    lines += [f"  {'-':>{width}}  {name:<12} off: {reason}" for name, reason in off]
    lines += ["", *_journal(pipeline.file)]
    if not registry.with_hook("on_flush"):
        lines += ["", "Warning: no sink is on: aggregates are counted and dropped. Add [plugins.sqlite]."]
    for name, meant in near_misses(os.environ):
        lines += ["", f"Warning: the environment variable {name} is not read; did you mean {meant}?"]
    if tests := len(read_tests(pipeline.file) if pipeline.file else []) + len(tests_of_plugins(registry)):
        lines += ["", f"{tests} tests: run `log-aggregator test`"]
    lines += ["", f"listens on {settings.host}:{settings.port}, data in {settings.data_dir.resolve()}"]
    print("\n".join(lines))  # noqa: T201  the answer of the command
    return 0


def _journal(file: Path | None) -> list[str]:
    """Which journal keeps what is acknowledged, and what its own check found."""
    entry = read_journal(file) if file is not None else embedded()
    loaded = load_journal(entry, os.environ)
    try:
        found = asyncio.run(asyncio.wait_for(loaded.plugin.check(), JOURNAL_DEADLINE))
    except TimeoutError:
        raise ConfigError(f"{entry.where}: no answer to its check within {JOURNAL_DEADLINE:g} s") from None
    except ConfigError as error:
        raise ConfigError(f"{entry.where}: {error}") from error
    release = f"  ({loaded.release})" if loaded.release else ""
    return [f"journal: {entry.kind}{release}", *(f"  {line}" for line in found)]
