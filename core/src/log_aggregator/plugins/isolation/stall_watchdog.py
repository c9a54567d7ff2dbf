"""Which plugin the event loop is in, and who it is that holds it up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, Protocol

from log_aggregator.plugins.isolation.circuit_breaker import STALL, CircuitBreaker

INTERVAL = 0.2
"""Seconds between two questions to the loop: with `STALL`, a stall is named within 0.7 s."""

log = logging.getLogger(__name__)


class Owned(Protocol):
    """What is asked of a loaded plugin: its name and the object it is made of."""

    @property
    def name(self) -> str:
        """As in the file."""

    @property
    def instance(self) -> Any:
        """The plugin's object."""


def packages_of(plugins: Iterable[Owned]) -> dict[str, str]:
    """Which top-level package belongs to which plugin; of several in one package, to the first."""
    packages: dict[str, str] = {}
    for plugin in plugins:
        packages.setdefault(type(plugin.instance).__module__.partition(".")[0], plugin.name)
    packages.pop("log_aggregator", None)
    return packages


class StallWatchdog:
    """A thread that asks the event loop for a sign of life and, when none comes, looks at what it is doing.

    `current` is the plugin whose hook the loop is in. The stages and lanes set it around every step of
    a hook. Where it is not set, the loop may be in a route, a health check or a background task: then
    the innermost frame that belongs to a plugin's package tells. `packages` maps a top-level package to
    its plugin's name.
    """

    def __init__(self, circuits: Mapping[str, CircuitBreaker], packages: Mapping[str, str]) -> None:
        self.current: str | None = None
        self._circuits = circuits
        self._packages = packages
        self._alive = threading.Event()
        self._stop = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Watch the running loop until the end of the block."""
        loop, loop_thread = asyncio.get_running_loop(), threading.get_ident()
        thread = threading.Thread(target=self._run, args=(loop, loop_thread), name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop, loop_thread: int) -> None:
        while not self._stop.wait(INTERVAL):
            self._alive.clear()
            asked = time.monotonic()
            try:
                loop.call_soon_threadsafe(self._alive.set)
            except RuntimeError:
                return
            if not self._alive.wait(STALL) and not self._stop.is_set():
                self._blame(loop_thread, time.monotonic() - asked)
                while not self._alive.wait(INTERVAL) and not self._stop.is_set():
                    pass

    def _blame(self, loop_thread: int, seconds: float) -> None:
        frame = sys._current_frames().get(loop_thread)
        name = self.current or self._owner(frame)
        circuit = self._circuits.get(name) if name is not None else None
        if circuit is not None:
            circuit.stalled(seconds)
        else:
            where = f"{frame.f_globals.get('__name__')}:{frame.f_lineno}" if frame is not None else "?"
            log.warning("event loop is held up, not by a plugin", extra={"seconds": round(seconds, 1), "where": where})

    def _owner(self, frame: FrameType | None) -> str | None:
        while frame is not None:
            package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            if package in self._packages:
                return self._packages[package]
            frame = frame.f_back
        return None
