"""The HTTP server around the service: listens, announces its address, stops in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
from pathlib import Path

from aiohttp import web

from log_aggregator.config.pipeline import PluginEntry
from log_aggregator.config.place import Place, own_url
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.http.access.ledger import FILE, Ledger, write
from log_aggregator.http.app import build_app
from log_aggregator.http.listener import Listener
from log_aggregator.http.sharing import Counts, Turns
from log_aggregator.listeners.reasons import cannot_listen
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.reach import hint
from log_aggregator.service.reloads import Reloads
from log_aggregator.service.service import Service
from log_aggregator.service.signals import SignalHandler

KEEP_EVERY = 10.0
"""Seconds between two looks whether the file of `Ledger` is to be written."""

log = logging.getLogger(__name__)


async def serve(settings: Settings, registry: Registry, place: Place | None = None) -> None:
    """Run until SIGTERM or SIGINT, then drain. Raises `ConfigError` when it cannot start.

    SIGHUP reads `plugins.toml` again: the old pipeline is drained and the new one takes its place, while
    connections stay open and new requests wait. When the new one cannot start, the old one goes on.

    A worker listens on the socket that it inherited, or, when it has none, only drains its journal.
    """
    reloads = Reloads()
    signals = SignalHandler(reloads)
    if place is not None:  # the supervisor holds the other end as long as it lives
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), signals.stop)
    directory = (place or Place()).data_dir(settings.data_dir)
    ledger = Ledger(directory / FILE)
    front = _Front(settings, place, ledger, reloads)
    keeping = asyncio.create_task(_keep(ledger), name="api keys")
    current: Registry | None = registry
    before: list[PluginEntry] | None = None
    try:
        while current is not None:
            entries = [plugin.entry for plugin in current.plugins]
            try:
                current, before = await _run(settings, current, place, front, signals), entries
            except ConfigError as error:
                if before is None:
                    raise
                reloads.refused(str(error))
                log.error("the new pipeline cannot start, so the old one does", extra={"error": str(error)})
                current, before = Registry(before, os.environ), None
    finally:
        await front.close()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep(ledger: Ledger) -> None:
    """Write down when API keys were used, and how much of their quota, from time to time and at the end."""
    written = ledger.encoded()
    ending = False
    while not ending:
        try:
            await asyncio.sleep(KEEP_EVERY)
        except asyncio.CancelledError:
            ending = True
        content = ledger.encoded()
        if content != written and ledger.path is not None:
            await asyncio.to_thread(write, ledger.path, content)
            written = content


async def _run(
    settings: Settings, registry: Registry, place: Place | None, front: _Front, signals: SignalHandler
) -> Registry | None:
    """Run one pipeline until a signal; the registry of the next one, or `None` at the end."""
    async with Service(settings, registry, place, front.reloads) as service:
        if place is not None and place.listen == -1:
            return None
        await front.show(build_app(service, front.ledger))
        following = await signals.next_registry(settings)
        if following is None:
            log.info("stopping")
            await front.close()
        else:
            await front.pause()
        return following


class _Front:
    """The listening socket, which stays open while one pipeline replaces another."""

    def __init__(self, settings: Settings, place: Place | None, ledger: Ledger, reloads: Reloads) -> None:
        self._settings, self._place = settings, place
        self.reloads = reloads
        self.ledger = ledger
        self._listener: Listener | None = None

    async def show(self, app: web.Application) -> None:
        """Answer with this application; the first time, listen and announce the address. Raises `ConfigError`."""
        settings, place = self._settings, self._place
        if self._listener is not None:
            await self._listener.resume(app)
            self.reloads.done()
            log.info("reloaded")
            return
        self._listener = Listener(app, settings)
        await _listen(self._listener, settings, place)
        if place is None or place.number == 0:
            url = own_url(settings.model_copy(update={"port": self._listener.port}))
            _announce(url, settings, os.getppid() if place else os.getpid())

    async def pause(self) -> None:
        """Let new requests wait until the next application is shown."""
        assert self._listener is not None
        await self._listener.pause()

    async def close(self) -> None:
        """Close the socket and all connections."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.stop()


async def _listen(listener: Listener, settings: Settings, place: Place | None) -> None:
    try:
        if place is None:
            await listener.start()
        else:
            await listener.start_on(socket.socket(fileno=place.listen), Turns(Counts(place), place.number))
    except OSError as error:
        where = f"HOST {settings.host}, PORT {settings.port}"
        raise ConfigError(cannot_listen(where, error)) from None


def _announce(url: str, settings: Settings, pid: int) -> None:
    """Write the address to the terminal for people and to `service.json` for programs.

    `pid` is the process to signal: with several workers, their parent.
    """
    path = settings.data_dir / "service.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"url": url, "pid": pid}), encoding="utf-8")
    partial.replace(path)
    log.info("listening", extra={"url": url, "reach": hint(settings), "data": str(settings.data_dir.resolve())})
    if sys.stdout.isatty():
        example = '{"message": "User 123 logged in", "source": "auth"}'
        with contextlib.suppress(OSError):
            sys.stdout.write(
                f"\n  POST logs   curl -X POST {url}/ingest -H 'Content-Type: application/json' -d '{example}'\n"
                f"  read them   curl {url}/patterns\n"
                f"  elsewhere   {hint(settings)}\n"
                f"  data        {Path(settings.data_dir).resolve()}\n\n"
            )
            sys.stdout.flush()
