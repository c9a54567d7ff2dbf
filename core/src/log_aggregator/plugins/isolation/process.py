"""The service's end of an isolated stage: starts its process, gives it batches, kills and replaces it when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec

from log_aggregator.config.pipeline import PluginEntry
from log_aggregator.errors import ConfigError
from log_aggregator.model.record import Record
from log_aggregator.plugins.isolation.wire import (
    HEADER,
    LARGEST,
    Answer,
    Call,
    IsolationError,
    Ready,
    Start,
    apply,
    framed,
)

START_DEADLINE = 30.0
"""Seconds in which the process must have loaded the plugin."""

END_DEADLINE = 2.0
"""Seconds in which it must end when its input ends."""

BOOT = (
    "import sys; sys.path += sys.argv[1:]; from log_aggregator.plugins.isolation.worker import main; sys.exit(main())"
)
"""What the process runs. The path comes as arguments, because its environment is empty."""

Message = TypeVar("Message", bound=msgspec.Struct)

log = logging.getLogger(__name__)


class IsolatedStage:
    """One plugin in a process of its own. The hooks take the same records as the plugin's, but are awaited."""

    def __init__(self, entry: PluginEntry) -> None:
        self._entry = entry
        self._process: Process | None = None

    @contextlib.asynccontextmanager
    async def lifespan(self, service: Any) -> AsyncIterator[None]:
        """Start the process before the service, end it after. Raises `ConfigError` when the plugin does not load."""
        try:
            async with asyncio.timeout(START_DEADLINE):
                await self._start()
        except (IsolationError, TimeoutError) as error:
            await self._kill()
            raise ConfigError(str(error) or f"isolated: not ready after {START_DEADLINE:g} s") from None
        try:
            yield
        finally:
            await self._end()

    async def normalize(self, records: list[Record]) -> None:
        """Run the plugin's `normalize`; see `call`."""
        await self.call("normalize", records)

    async def enrich(self, records: list[Record]) -> None:
        """Run the plugin's `enrich`; see `call`."""
        await self.call("enrich", records)

    async def call(self, hook: str, records: list[Record]) -> None:
        """Let the process work on a batch and take its changes over, all or none.

        Raises `IsolationError` when it raises, dies, answers garbage or exceeds its deadline; then the
        records are as they were, and a process that cannot go on is replaced.
        """
        if self._process is None:
            await self._start_again()
        try:
            async with asyncio.timeout(self._entry.isolated_deadline):
                answer = await self._exchange(framed(Call(hook, records)))
        except TimeoutError:
            await self._replace()
            raise IsolationError(
                f"no answer within {self._entry.isolated_deadline:g} s; its process was killed"
            ) from None
        except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError, IsolationError) as error:
            if isinstance(error, asyncio.IncompleteReadError):
                await self._ended()
            status = await self._replace()
            raise IsolationError(f"its process ended or answered garbage (status {status}), and was replaced") from None
        except BaseException:
            await self._kill()
            raise
        if answer.error:
            raise IsolationError(answer.error)
        apply(answer.changes, records)

    async def _exchange(self, frame: bytes) -> Answer:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(frame)
        await self._process.stdin.drain()
        return await self._receive(Answer)

    async def _receive(self, kind: type[Message]) -> Message:
        assert self._process is not None
        assert self._process.stdout is not None
        size = int.from_bytes(await self._process.stdout.readexactly(HEADER), "big")
        if size > LARGEST:
            raise IsolationError("answered garbage")
        return msgspec.msgpack.decode(await self._process.stdout.readexactly(size), type=kind)

    async def _start_again(self) -> None:
        """Start a new process in place of one that was killed: its loading does not count as the batch's time."""
        try:
            async with asyncio.timeout(START_DEADLINE):
                await self._start()
        except TimeoutError:
            await self._kill()
            raise IsolationError(f"its process was not ready after {START_DEADLINE:g} s") from None
        except BaseException:
            await self._kill()
            raise

    async def _start(self) -> None:
        """Start the process with an empty environment, outside of the data directory, in a session of its own."""
        entry = self._entry
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", BOOT, *sys.path),
            stdin=PIPE,
            stdout=PIPE,
            limit=1024 * 1024,
            env={},
            cwd="/",
            start_new_session=True,
        )
        assert self._process.stdin is not None
        start = Start(entry.name, entry.where, entry.options, entry.isolated_memory_mib, sys.path)
        self._process.stdin.write(framed(start))
        try:
            ready = await self._receive(Ready)
        except asyncio.IncompleteReadError:
            raise IsolationError(
                "isolated: its process ended while it was loading; is isolated_memory_mib enough?"
            ) from None
        if ready.error:
            raise IsolationError(f"isolated: {ready.error}")

    async def _replace(self) -> int | None:
        """Kill the process; the next call starts a new one. Its exit status, negative for a signal."""
        log.warning("isolated plugin is started again", extra={"plugin": self._entry.name})
        return await self._kill()

    async def _kill(self) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        await self._ended()
        await self._kill()

    async def _ended(self) -> None:
        """Wait until the process has ended, for a while.

        `kill` asks the system first whether the process still runs. That takes the exit status away from
        asyncio when the process has just ended by itself, so it gets the time to end before it is killed.
        """
        assert self._process is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_DEADLINE):
                await self._process.wait()
