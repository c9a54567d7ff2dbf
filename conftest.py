"""Pytest for the whole workspace: which fixtures are shared, and which tests run alone."""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.support.service"]

_LOCKS = "PYTEST_WORKERS_LOCKS"


def pytest_configure(config: pytest.Config) -> None:
    """Give the workers of this run a directory for their locks, which they inherit; take over the parent's signals."""
    # Whoever started the tests may ignore SIGCHLD: then no test would learn how a process ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if getattr(config.option, "numprocesses", None):
        locks = tempfile.TemporaryDirectory(prefix="pytest-locks-")
        os.environ[_LOCKS] = locks.name
        config.add_cleanup(locks.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `serial` come last: each would wait for what the other workers are at."""
    items.sort(key=lambda item: item.get_closest_marker("serial") is not None)


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
