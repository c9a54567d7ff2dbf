"""Outbox → one sink: one flush at a time, in order, again and again until it is stored."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from typing import Any

import msgspec

from log_aggregator.errors import PermanentError, RetryableError
from log_aggregator.journal import JournalError, LaneState, Partition, Waiting
from log_aggregator.model.aggregate import START, Aggregate, Flush
from log_aggregator.plugins.isolation import CircuitBreaker, ContainedSink
from log_aggregator.plugins.isolation.where_raised import package_of
from log_aggregator.plugins.registry import Plugin

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
LONGEST_NOTE_PAUSE = 5.0
BACKLOG_GROUPS = 50_000
"""Groups that wait for a sink that is not required; beyond it the oldest flush is dropped and counted."""

FREED_AT_ONCE = 1000
"""Groups of a delivered flush that are freed before others have their turn: 5 ms, about."""

log = logging.getLogger(__name__)


class Lane:
    """One sink's way through the outbox, with its own cursor and its own pauses."""

    def __init__(
        self,
        plugin: Plugin,
        partition: Partition,
        lane_names: list[str],
        timeout: float,
        on_progress: Callable[[], None],
        circuit: CircuitBreaker | None = None,
    ) -> None:
        self.name = plugin.name
        self.required = plugin.entry.required
        circuit, package = circuit or CircuitBreaker(plugin.name), package_of(plugin.instance)
        self.sink = ContainedSink(plugin.hooks["on_flush"], timeout, circuit, package)
        self._partition = partition
        self._lane_names = lane_names
        self._on_progress = on_progress
        self._state = LaneState(0, START, 0)
        self._offered: Flush | None = None
        self._newest = 0
        self._moved = asyncio.Condition()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._longest = 0.0
        self.pause = 0.0
        self.failures = 0
        self.attempts = 0
        self.delivered = 0
        self.errors = 0
        self.seconds = 0.0
        self.last_error = ""
        self.needs_person = False
        self.turn: contextlib.AbstractAsyncContextManager[Any] = contextlib.nullcontext()
        """Entered for each attempt: lanes of several partitions share a sink, which gets one flush at a time."""

    async def open(self) -> None:
        """Read where the lane stands."""
        self._state = await self._partition.open_lane(self.name)
        self._newest = (await self._partition.stand()).sequence

    @property
    def cursor(self) -> int:
        """The sequence of the last flush that this lane is done with."""
        return self._state.cursor

    @property
    def behind(self) -> bool:
        """Whether there are flushes that the sink does not have."""
        return self._state.cursor < self._newest

    def offer(self, flush: Flush) -> None:
        """Tell the lane that a flush was sealed.

        The first lane takes the next one in line without reading it back. The others read it, so that a
        sink which changes what it is given changes it for nobody else.
        """
        if self._state.cursor == self._newest and self.name == self._lane_names[0]:
            self._offered = flush
        self._newest = flush.position.sequence
        self._wake.set()

    def sealed(self, sequence: int) -> None:
        """Tell the lane that another process has sealed up to a sequence."""
        if sequence > self._newest:
            self._newest = sequence
            self._wake.set()

    async def reached(self, sequence: int) -> None:
        """Wait until the lane is done with a flush. The caller sets the deadline."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._state.cursor >= sequence)

    async def last_try(self, sequence: int) -> bool:
        """Wait until the lane is done with a flush or has failed once more; whether it is done."""
        errors = self.errors
        self.hurry()
        async with self._moved:
            await self._moved.wait_for(lambda: self._state.cursor >= sequence or self.errors > errors)
        return self._state.cursor >= sequence

    def hurry(self) -> None:
        """End the present pause: somebody is waiting."""
        self._hurry.set()

    async def run(self) -> None:
        """Deliver for ever; cancel to stop. A flush that was being delivered is delivered again later."""
        while True:
            flush = await self._next()
            if flush is None:
                self._wake.clear()
                if not self.behind:
                    await self._wake.wait()
                continue
            self._hurry.clear()  # here, so that a call that comes from now on ends the next pause
            error = await self._attempt(flush)
            if error is None:
                await self._advance(flush, stored=True)
                await self._rest()
            elif isinstance(error, PermanentError) and not self.required:
                await self._drop(flush, "refused for good")
            else:
                async with self._moved:
                    self._moved.notify_all()
                await self._shed()
                await self._pause(error)
            groups = list(flush.aggregates)
            del flush, error  # the last that refer to it, while the lane waits for the next
            await _let_go(groups)

    async def _next(self) -> Flush | None:
        flush, self._offered = self._offered, None
        if flush is None and self.behind:
            flush = await self._partition.after(self._state.cursor)
            if flush is None:
                self._newest = self._state.cursor
        return None if flush is None else msgspec.structs.replace(flush, previous=self._state.stored)

    async def _attempt(self, flush: Flush) -> BaseException | None:
        self.attempts += 1
        started = time.perf_counter()
        try:
            async with self.turn:
                error = await self.sink.deliver(flush)
        finally:
            self.seconds += time.perf_counter() - started
        if error is not None:
            self._note_failure(error)
            return error
        if self.failures:
            log.info("sink is back", extra={"sink": self.name, "failures": self.failures})
        self.failures = 0
        self._longest = 0.0
        self.needs_person = False
        self.delivered += 1
        return None

    def _note_failure(self, error: BaseException) -> None:
        self.failures += 1
        self.errors += 1
        text = str(error) if isinstance(error, RetryableError | PermanentError) else ""
        self.last_error = f"{type(error).__name__}: {text}" if text else self.sink.named(error)
        extra = {"sink": self.name, "error": self.last_error, "failures": self.failures}
        if isinstance(error, PermanentError) and not self.needs_person:
            self.needs_person = self.required
            log.error("sink refuses a flush for good", extra=extra)
        elif self.failures == 1:
            log.warning("sink failed; flushes wait", extra=extra)

    async def _pause(self, error: BaseException) -> None:
        """Wait before the next attempt. Each pause grows from the one before, whatever bounded that."""
        if isinstance(error, PermanentError):
            await self._wait(LONGEST_PAUSE)
            return
        bound, asked = LONGEST_PAUSE, None
        if isinstance(error, RetryableError):
            asked = error.retry_after
            bound = bound if error.retry_within is None else min(bound, max(FIRST_PAUSE, error.retry_within))
        self._longest = min(bound, 2 * max(FIRST_PAUSE, self._longest))
        jittered = random.uniform(self._longest / 2, self._longest)  # noqa: S311  jitter, not a secret
        await self._wait(jittered if asked is None else max(0.0, asked))

    async def _rest(self) -> None:
        """Leave a sink alone that holds up the loop or changes flushes: what waits is safe in the outbox."""
        if self.sink.circuit.is_open:
            await self._wait(self.sink.circuit.seconds_left)

    async def _wait(self, pause: float) -> None:
        self.pause = pause
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._hurry.wait()
        self.pause = 0.0

    async def _advance(self, flush: Flush, *, stored: bool) -> None:
        sequence = flush.position.sequence
        if stored:
            state = LaneState(sequence, flush.position, self._state.lost)
        else:
            # The sink may have stored it after all, so what it stands at is not known from here on.
            state = LaneState(sequence, None, self._state.lost + flush.logs)
        await self._note_down(state)
        async with self._moved:
            self._state = state
            self._moved.notify_all()
        self._on_progress()

    async def _note_down(self, state: LaneState) -> None:
        """Write how far the lane is. While the disk is full that waits: delivering the flush again would be worse."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._partition.advance(self.name, state, self._lane_names)
            except JournalError as error:
                if pause == FIRST_PAUSE:
                    told = {"sink": self.name, "error": str(error)}
                    log.error("what a sink has stored cannot be noted, so it waits", extra=told)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_NOTE_PAUSE)
            else:
                return

    async def _drop(self, flush: Flush, why: str) -> None:
        log.error("flush dropped", extra={"sink": self.name, "logs": flush.logs, "why": why})
        await self._advance(flush, stored=False)

    async def _shed(self) -> None:
        """Drop the oldest flushes of a sink that is not required while too much waits for it."""
        while not self.required and (await self.waiting()).groups > BACKLOG_GROUPS:
            flush = await self._partition.after(self._state.cursor)
            if flush is None:
                return
            await self._drop(flush, "backlog is full")

    async def waiting(self) -> Waiting:
        """What the sink does not have yet."""
        return await self._partition.waiting(self._state.cursor)

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows of this sink."""
        return {
            "required": self.required,
            "state": self.state,
            "delivered": self.delivered,
            "attempts": self.attempts,
            "errors": self.errors,
            "failures_in_a_row": self.failures,
            "pause_seconds": round(self.pause, 3),
            "seconds": round(self.seconds, 6),
            "lag_flushes": self._newest - self._state.cursor,
            "lost_logs": self._state.lost,
            "last_error": self.last_error or None,
        }

    @property
    def state(self) -> str:
        """`stored` (nothing waits), `delivering`, `retrying`, or `stopped`: a person is needed."""
        if self.needs_person:
            return "stopped"
        if self.failures:
            return "retrying"
        return "delivering" if self.behind else "stored"


async def _let_go(groups: list[Aggregate]) -> None:
    """Free groups piece by piece: all of a large flush at once would hold the event loop up for a while."""
    while groups:
        del groups[-FREED_AT_ONCE:]
        await asyncio.sleep(0)
