"""Pytest for the whole workspace: which fixtures are shared, in which order tests run, and which run alone."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

pytest_plugins = ["tests.support.service"]

_FAILURES = "log-aggregator/failures"
"""Where pytest's cache keeps how often each test failed on this machine."""

_FIRST = ("tests/repo/", "core/", "packages/", "plugins/")
"""Which tests of equally few failures run first: most changes that break something break a rule of the house."""

# A deadline for one example measures how busy the machine is; tests of speed compare two figures of one run.
# The same examples in each run: a change is judged by what it changed. `make fuzz` tries others, and many.
hypothesis.settings.register_profile("workspace", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "workspace")


def pytest_configure(config: pytest.Config) -> None:
    """Take over the parent's signals; count failures."""
    # Whoever started the tests may ignore SIGCHLD: then no test would learn how a process ended. A shell makes what it
    # starts in the background ignore SIGINT, and so would what the tests start.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cache = _cache(config)
    if cache is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Failures(cache))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What failed most often comes first. Tests marked `serial` are left to a run without other workers."""
    if hasattr(config, "workerinput"):
        config.hook.pytest_deselected(items=[item for item in items if _is_serial(item)])
        items[:] = [item for item in items if not _is_serial(item)]
    cache = _cache(config)
    failures: dict[str, int] = cache.get(_FAILURES, {}) if cache else {}

    def place(item: pytest.Item) -> tuple[int, int]:
        room = next((number for number, start in enumerate(_FIRST) if item.nodeid.startswith(start)), len(_FIRST))
        return -failures.get(item.nodeid, 0), room

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what several workers leave out."""
    if getattr(config.option, "numprocesses", None):
        terminalreporter.write_line("Tests marked `serial` run without -n: `pytest -m serial`; `make` runs them next.")


def _is_serial(item: pytest.Item) -> bool:
    return item.get_closest_marker("serial") is not None


def _cache(config: pytest.Config) -> pytest.Cache | None:
    """The cache of pytest, or `None` with `-p no:cacheprovider`."""
    return getattr(config, "cache", None)


class _Failures:
    """Counts failures, in the process that sees the reports of all workers."""

    def __init__(self, cache: pytest.Cache) -> None:
        self._cache = cache
        self._seen: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a failure of a test or of what it needs."""
        if report.failed:
            self._seen[report.nodeid] = 1

    def pytest_sessionfinish(self) -> None:
        """Add what this run saw."""
        if self._seen:
            before: dict[str, int] = self._cache.get(_FAILURES, {})
            self._cache.set(_FAILURES, before | {name: before.get(name, 0) + 1 for name in self._seen})
