"""Signals: SIGTERM and SIGINT stop the service, SIGHUP reloads plugins.toml."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

from log_aggregator.config.pipeline import read_tests
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.http.access.keys import KeyRing
from log_aggregator.http.tls import server_context
from log_aggregator.plugins.configured import read_pipeline
from log_aggregator.plugins.conformance import tests_of_plugins
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.reloads import Reloads

log = logging.getLogger(__name__)

TEST_SECONDS = 120
"""How long the tests of a configuration may take before a reload."""


class SignalHandler:
    """Handles signals from its creation on: SIGTERM and SIGINT stop, SIGHUP reloads.

    A process also gets SIGHUP when its terminal is closed; it stops then.
    """

    def __init__(self, reloads: Reloads) -> None:
        self._reloads = reloads
        self._stop = self._reload = False
        self._received = asyncio.Event()
        self._terminal = _on_terminal()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def stop(self) -> None:
        """Stop, as SIGTERM does."""
        self._stop = True
        self._received.set()

    async def next_registry(self, settings: Settings) -> Registry | None:
        """Wait for a signal: the registry of the changed file, or `None` to stop.

        A file that is wrong changes nothing: its errors are logged, and the wait goes on.
        """
        while True:
            await self._received.wait()
            self._received.clear()
            registry = None
            if self._reload and not self._stop:
                self._reload = False
                registry = await _read(settings, self._reloads)
            if self._stop:
                return None
            if registry is not None:
                return registry

    def _hang_up(self) -> None:
        if self._terminal and not _on_terminal():
            self.stop()
            return
        self._reload = True
        self._received.set()


def _on_terminal() -> bool:
    try:
        return sys.stdin.isatty()
    except (AttributeError, ValueError):  # there is no stdin, or it is closed
        return False


async def _read(settings: Settings, reloads: Reloads) -> Registry | None:
    try:
        registry = await asyncio.to_thread(_load, settings)
    except ConfigError as error:
        reloads.refused(str(error))
        log.error("nothing is reloaded, the pipeline goes on as it is", extra={"error": str(error)})
        return None
    except Exception as error:
        reloads.refused(f"a plugin failed to load: {type(error).__name__}")
        log.exception("nothing is reloaded, the pipeline goes on as it is: a plugin failed to load")
        return None
    reloads.begun()
    log.info("reloading", extra={"plugins": ", ".join(plugin.name for plugin in registry.plugins)})
    return registry


def _load(settings: Settings) -> Registry:
    """All that can be wrong is read before anything changes. Raises `ConfigError`."""
    if settings.api_keys_file is not None:
        KeyRing.read(settings.api_keys_file)
    server_context(settings)
    pipeline = read_pipeline(settings)
    registry = Registry(pipeline.entries, os.environ)
    if (pipeline.file is not None and read_tests(pipeline.file)) or tests_of_plugins(registry):
        _run_tests(pipeline.file)
    return registry


def _run_tests(file: Path | None) -> None:
    """Run `log-aggregator test` in a process of its own. Raises `ConfigError` that names the tests that fail."""
    named = ["--plugins", str(file)] if file is not None else []
    command = [sys.executable, "-m", "log_aggregator", "test", "--names", *named]
    try:
        done = subprocess.run(  # noqa: S603  our own program
            command, capture_output=True, text=True, timeout=TEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{file or 'plugins'}: the tests took more than {TEST_SECONDS} s") from None
    if done.returncode:
        failing = "; ".join(done.stdout.splitlines() or done.stderr.splitlines()[-1:])
        raise ConfigError(f"{file or 'plugins'}: tests fail: {failing}; run `log-aggregator test`")
