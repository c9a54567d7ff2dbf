"""Pytest for the whole workspace: which fixtures are shared, in which order tests run, and which run alone."""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.support.service"]

_LOCKS = "PYTEST_WORKERS_LOCKS"

_FAILURES = "log-aggregator/failures"
"""Where pytest's cache keeps how often each test failed on this machine."""

_FIRST = ("tests/repo/", "core/", "packages/", "plugins/")
"""Which tests of equally few failures run first: most changes that break something break a rule of the house."""

# A deadline for one example measures how busy the machine is; tests of speed compare two figures of one run.
# Each run tries other examples: few in each of many runs, many with HYPOTHESIS_PROFILE=thorough.
hypothesis.settings.register_profile("workspace", deadline=None, max_examples=50)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "workspace")


def pytest_configure(config: pytest.Config) -> None:
    """Give the workers of this run a directory for their locks, which they inherit; take over the parent's signals."""
    # Whoever started the tests may ignore SIGCHLD: then no test would learn how a process ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    cache = _cache(config)
    if cache is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Failures(cache))
    if getattr(config.option, "numprocesses", None):
        locks = tempfile.TemporaryDirectory(prefix="pytest-locks-")
        os.environ[_LOCKS] = locks.name
        config.add_cleanup(locks.cleanup)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What failed most often comes first; tests marked `serial` come last: each would wait for the other workers."""
    cache = _cache(config)
    failures: dict[str, int] = cache.get(_FAILURES, {}) if cache else {}

    def place(item: pytest.Item) -> tuple[bool, int, int]:
        room = next((number for number, start in enumerate(_FIRST) if item.nodeid.startswith(start)), len(_FIRST))
        return item.get_closest_marker("serial") is not None, -failures.get(item.nodeid, 0), room

    items.sort(key=place)


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """With several workers, run a test marked `serial` while no other worker runs any.

    Outermost, so that waiting does not count against the test's timeout. Whoever waits to be alone lets all others
    pass: that is how tests that run alone come last, and nobody waits for one of them before.
    """
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with (Path(os.environ[_LOCKS]) / "room").open("w") as room:
        fcntl.flock(room, fcntl.LOCK_EX if item.get_closest_marker("serial") else fcntl.LOCK_SH)
        return (yield)
