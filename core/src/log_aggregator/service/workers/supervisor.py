"""The parent of the workers: binds the port once, starts them, replaces one that dies, stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
import time

from log_aggregator.config.place import Place, left_over
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.http.sharing import ABSENT, Counts
from log_aggregator.listeners.reasons import cannot_listen

QUICK_DEATH = 5.0
"""Seconds within which a worker that dies again is started only after a pause."""

LONGEST_PAUSE = 10.0
START_ERROR = 1

log = logging.getLogger(__name__)


class Supervisor:
    """Runs `count` workers on one listening socket until SIGTERM or SIGINT."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings = settings
        self._count = count
        self._stop = asyncio.Event()
        self._processes: dict[int, asyncio.subprocess.Process] = {}

    async def run(self) -> int:
        """Run to the end; the exit code. Raises `ConfigError` when the port cannot be had."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._pass_on, signal.SIGHUP)
        with contextlib.ExitStack() as stack:
            sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="log-aggregator-"))
            listening = stack.enter_context(bind(self._settings))
            await self._drain_left_over(sockets)
            places = [Place(n, self._count, listening.fileno(), sockets) for n in range(self._count)]
            counts = Counts(places[0])
            keepers = [
                asyncio.create_task(self._keep(place, counts), name=f"worker {place.number}") for place in places
            ]
            try:
                codes = await asyncio.gather(*keepers)
            finally:
                for keeper in keepers:
                    keeper.cancel()
                await asyncio.gather(*keepers, return_exceptions=True)
        return max(codes)

    async def _keep(self, place: Place, counts: Counts) -> int:
        """Run one worker and replace it when it dies, until the service stops; its last exit code."""
        first, quick = True, 0
        while True:
            started = time.monotonic()
            process = await self._start(place)
            code = await self._ended(process)
            counts[place.number] = ABSENT  # until it listens again the others take its connections
            if self._stop.is_set():
                return code
            if first and code == START_ERROR:
                self._stop.set()  # it has logged why it cannot start; the others cannot either
                return code
            first = False
            quick = quick + 1 if time.monotonic() - started < QUICK_DEATH else 0
            log.error("worker died and is replaced", extra={"worker": place.number, "exit_code": code})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(LONGEST_PAUSE, 0.1 * 2**quick) if quick else 0):
                    await self._stop.wait()

    async def _start(self, place: Place) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "log_aggregator",
            "serve",
            preexec_fn=_ignore_reload,
            stdin=asyncio.subprocess.PIPE,  # closed when this process is gone: the worker stops then
            env={**os.environ, **self._pipeline(), **place.environ()},
            pass_fds=[place.listen] if place.listen is not None and place.listen >= 0 else [],
        )
        self._processes[place.number] = process
        return process

    def _pipeline(self) -> dict[str, str]:
        """The file that a worker reads its pipeline from, where one was named."""
        settings = self._settings
        return {"PLUGINS_FILE": str(settings.plugins_file)} if "plugins_file" in settings.model_fields_set else {}

    async def _ended(self, process: asyncio.subprocess.Process) -> int:
        """Wait for the worker's end; pass a stop on to it."""
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        end = asyncio.create_task(process.wait(), name="end")
        try:
            await asyncio.wait({stop, end}, return_when=asyncio.FIRST_COMPLETED)
            if not end.done():
                process.terminate()
            return await end
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        finally:
            stop.cancel()
            await asyncio.gather(stop, return_exceptions=True)

    async def _drain_left_over(self, sockets: str) -> None:
        """Drain the journals that an earlier start with more workers left behind."""
        for number in left_over(self._settings.data_dir, self._count):
            log.info("draining the journal of a worker that is no more", extra={"worker": number})
            process = await self._start(Place(number, 1, -1, sockets))
            await self._ended(process)

    def _pass_on(self, number: signal.Signals) -> None:
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)


def _ignore_reload() -> None:
    """A worker that is still being started would die of SIGHUP; it reads the new file anyway."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def bind(settings: Settings) -> socket.socket:
    """The listening socket that all workers share. Raises `ConfigError` when the port cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        where = f"HOST {settings.host}, PORT {settings.port}"
        raise ConfigError(cannot_listen(where, error)) from None
    return listening
