"""One call of `on_flush`: with a deadline that holds, measured step by step, and checked for changes to the flush."""

from __future__ import annotations

import asyncio
import contextlib
import time
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import msgspec

from log_aggregator.errors import PermanentError, RetryableError
from log_aggregator.model.aggregate import Flush
from log_aggregator.plugins.isolation.circuit_breaker import SLOW_CALL, CircuitBreaker
from log_aggregator.plugins.isolation.stall_watchdog import StallWatchdog
from log_aggregator.plugins.isolation.where_raised import where_raised

GRACE = 2.0
"""Seconds that a cancelled call gets to end; then it is not continued any more."""

_LOOKED_AT = 16
"""Aggregates that are compared before and after. Each lane has a flush of its own: this only finds the fault."""

_encoder = msgspec.msgpack.Encoder()


class ContainedSink:
    """Calls one sink's `on_flush`. Whatever it does, the lane goes on, and the sink's circuit knows why."""

    def __init__(
        self, call: Callable[..., Coroutine[Any, Any, Any]], timeout: float, circuit: CircuitBreaker, package: str = ""
    ) -> None:
        """`package` is the top-level package of the sink, see `where_raised`."""
        self.circuit = circuit
        self.watch: StallWatchdog | None = None
        self._call = call
        self._timeout = timeout
        self._package = package
        self.abandoned = False

    def named(self, error: BaseException) -> str:
        """An exception of the sink by type and place."""
        return where_raised(error, self._package)

    async def deliver(self, flush: Flush) -> BaseException | None:
        """Give the flush to the sink; returns what it raised, or `None` when it is stored.

        A call that exceeds the deadline is cancelled, and one that does not end then is closed. When this is
        cancelled itself, so is the call.
        """
        self.abandoned = False
        before, started = _fingerprint(flush), time.perf_counter()
        task = asyncio.create_task(self._contained(flush), name=f"on_flush {self.circuit.name}")
        try:
            done, _ = await asyncio.wait({task}, timeout=self._timeout)
            error = task.result() if done else await self._give_up(task)
        except asyncio.CancelledError:
            await self._give_up(task)
            raise
        seconds = time.perf_counter() - started
        self.circuit.calls += 1
        self.circuit.seconds += seconds
        self._judge(error, changed=_fingerprint(flush) != before)
        return error

    async def _give_up(self, task: asyncio.Task[BaseException | None]) -> BaseException:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=GRACE)
        if not task.done():
            self.circuit.count_failure("on_flush: does not end when it is cancelled")
            self.abandoned = True
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        return TimeoutError()

    async def _contained(self, flush: Flush) -> BaseException | None:
        try:
            await _stepped(self._call(flush=flush), self)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a sink may raise anything; the flush is kept
            return error
        except asyncio.CancelledError:
            return TimeoutError()
        return None

    def _judge(self, error: BaseException | None, *, changed: bool) -> None:
        if changed:
            self.circuit.count_failure("on_flush: changed the flush")
        elif error is None:
            self.circuit.recovered()
        elif not isinstance(error, RetryableError | PermanentError | TimeoutError | OSError):
            self.circuit.count_failure(f"on_flush: {self.named(error)}")


@types.coroutine
def _stepped(call: Coroutine[Any, Any, Any], sink: ContainedSink) -> Generator[Any, Any, None]:
    """Run a coroutine and, around each of its steps on the loop, tell the watch whose step it is."""
    value: Any = None
    error: BaseException | None = None
    while True:
        if sink.watch is not None:
            sink.watch.current = sink.circuit.name
        started = time.perf_counter()
        try:
            waits_for = call.send(value) if error is None else call.throw(error)
        except StopIteration:
            return
        finally:  # also when the sink raises
            if sink.watch is not None:
                sink.watch.current = None
            seconds = time.perf_counter() - started
            sink.circuit.loop_seconds += seconds
            if seconds > SLOW_CALL:
                sink.circuit.held(seconds)
        value, error = None, None
        try:
            value = yield waits_for
        except (Exception, asyncio.CancelledError) as caught:
            if sink.abandoned:
                with contextlib.suppress(RuntimeError):  # it ignores this too; nobody will continue it
                    call.close()
                raise
            error = caught


def _fingerprint(flush: Flush) -> tuple[int, bytes]:
    aggregates = flush.aggregates
    step = max(1, len(aggregates) // _LOOKED_AT)
    seen = (flush.instance, flush.position, flush.logs, aggregates[::step], flush.aliases, flush.anomalies[:_LOOKED_AT])
    try:
        return len(aggregates), _encoder.encode(seen)
    except (TypeError, ValueError):
        return len(aggregates), b"not encodable any more"
