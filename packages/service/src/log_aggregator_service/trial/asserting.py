"""The tests of a configuration: each log alone through the stages with an empty learned state, and compared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from log_aggregator.config.pipeline import read_tests
from log_aggregator.config.tests import ConfigTest
from log_aggregator.plugins.configured import Pipeline
from log_aggregator.plugins.conformance import tests_of_plugins
from log_aggregator.plugins.registry import Registry
from log_aggregator_service.trial.outcomes import HOOKS, Outcome, try_logs
from log_aggregator_service.trial.reading import sent
from log_aggregator_service.trial.showing import iso

if TYPE_CHECKING:
    from log_aggregator.config.settings import Settings


class Difference(NamedTuple):
    """One expectation that did not hold."""

    name: str
    expected: Any
    found: Any


class Result(NamedTuple):
    """One test, where it stands, and what differed: nothing when it passed."""

    where: str
    test: ConfigTest
    outcome: Outcome
    differences: list[Difference]


def run_tests(pipeline: Pipeline, settings: Settings) -> Iterator[Result]:
    """Run every test of a pipeline: of its file and of its plugins. Raises `ConfigError` when something cannot be read.

    A plugin offers tests by a method `tests()`, which returns tables as they stand in `[[tests]]`.
    """
    entries = pipeline.entries
    registry = Registry(entries, os.environ)
    own = read_tests(pipeline.file) if pipeline.file is not None else []
    found = own + tests_of_plugins(registry)
    stages = {plugin.name for hook in HOOKS for plugin in registry.with_hook(hook)}
    # What a stage asks of others, such as rules, comes from plugins that are no stages themselves: only sinks go.
    sinks = {plugin.name for plugin in registry.with_hook("on_flush")} - stages
    needed = [entry for entry in entries if entry.name not in sinks]
    for where, test in found:
        log = test.log if test.log is not None else test.message
        (outcome,) = try_logs(Registry(needed, os.environ), settings, [sent(1, log)])
        yield Result(where, test, outcome, list(_differences(test, outcome)))


def _differences(test: ConfigTest, outcome: Outcome) -> Iterator[Difference]:
    for failure in outcome.failures:
        yield Difference("stage", "no failure", f"{failure.plugin}, {failure.hook}: {failure.error}")
    refusal = outcome.by if outcome.what != "kept" else ""
    if refusal and test.dropped is None and test.rejected is None:
        yield Difference("outcome", "kept", f"{outcome.what} by {refusal}: {outcome.reason}")
        return
    for name, expected in test.expected.items():
        found = _found(name, expected, outcome)
        if found != (sorted(expected) if name == "tags" else expected):
            yield Difference(name, expected, found)


def _found(name: str, expected: Any, outcome: Outcome) -> Any:
    record = outcome.record
    if name in {"dropped", "rejected"}:
        is_so = outcome.what == name
        return (outcome.by if is_so else False) if isinstance(expected, str) else is_so
    if record is None or outcome.what != "kept":
        return None
    values: dict[str, Any] = {
        "pattern": outcome.pattern,
        "level": record.level,
        "source": record.source,
        "category": record.category,
        "tags": sorted(record.tags),
        "metadata": {key: record.metadata[key] for key in expected if key in record.metadata}
        if isinstance(expected, dict)
        else {},
        "time": iso(record.timestamp),
    }
    return values[name]
