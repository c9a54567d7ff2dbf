"""What every receiver check needs: a service around the receiver, its logs, and faults at `service.ingest`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from log_aggregator.errors import OverloadedError, Reject, RetryableError
from log_aggregator.hookspecs import hookimpl
from log_aggregator.model.receipt import Receipt
from log_aggregator.model.record import Record
from log_aggregator_dev.harness import Harness, harness
from log_aggregator_dev.sink_suite import NotSupported, skip

Fault = Callable[["WatchedService", list[Record], dict[str, Any]], Awaitable[Receipt]]
"""What one call of `service.ingest` does in place of taking the records in."""


@dataclass
class OpenReceiver:
    """Where logs are sent: `url` of the service, `ports` the receiver listens on, in order; empty while it is down.

    `directory` is the one that `make_receiver` was given.
    """

    directory: Path
    url: str = ""
    ports: list[int] = field(default_factory=list)


class WatchedService:
    """The service as the receiver sees it, with the faults of a check. All else is the real one."""

    def __init__(self, service: Any, run: Run) -> None:
        self.service = service
        self.run_of_check = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self.service, name)

    async def ingest(self, records: Sequence[Record], **more: Any) -> Receipt:
        """Take records in, or do what the next fault says."""
        self.run_of_check.seen += records
        if records and self.run_of_check.faults:
            return await self.run_of_check.faults.pop(0)(self, list(records), more)
        receipt: Receipt = await self.service.ingest(records, **more)
        return receipt

    def position(self, name: str) -> bytes | None:
        """The position, or what the check says it is."""
        return self.service.position(name) if self.run_of_check.position is None else self.run_of_check.position

    def listen_tcp(self, *args: Any, **more: Any) -> Any:
        """Listen, and remember the port."""
        return self.run_of_check.listening(self.service.listen_tcp(*args, **more))

    def listen_udp(self, *args: Any, **more: Any) -> Any:
        """Listen, and remember the port."""
        return self.run_of_check.listening(self.service.listen_udp(*args, **more))


class Run:
    """One run of the service around a receiver: faults to come, and every record that was given to `ingest`."""

    def __init__(self, directory: Path, faults: Sequence[Fault] = (), position: bytes | None = None) -> None:
        self.place = OpenReceiver(directory)
        self.faults = list(faults)
        self.position = position
        self.seen: list[Record] = []
        self.died = asyncio.Event()
        self.harness: Harness | None = None

    def listening(self, listener: Any) -> Any:
        """Note the port of a listener."""
        self.place.ports.append(listener.port)
        return listener

    def counts(self) -> Counter[str]:
        """How often each message was taken in, as the sinks were told so far."""
        assert self.harness is not None
        found: Counter[str] = Counter()
        for flush in self.harness.flushes:
            for row in flush.aggregates:
                found[row.pattern] += row.count
        return found

    async def until(self, logs: int) -> None:
        """Wait until so many logs were taken in."""
        assert self.harness is not None
        while self.counts().total() < logs:
            await self.harness.flush()
            await asyncio.sleep(0.01)


class ReceiverSuite:
    """What a receiver's author says about the receiver. See `ReceiverContract`."""

    keeps_place = False
    """Whether it goes on where it stopped, as a reader of files or a consumer does: logs of a pause come afterwards."""

    hostile: tuple[bytes, ...] = (
        b"nul \x00 inside", b"\xff\xfe is not UTF-8 \x80", "a \u2028 line and a \u2029 paragraph separator".encode(),
        b"form feed \x0c, separators \x1c \x1d \x1e, vertical tab \x0b", "next line \u0085 here".encode(),
        b"carriage \r return", b'{"message": ', b'{"level": [5', b"[1, 2", b"%s {} {0} $1", b"\x1b[31mred",
        "astral \U0001f525 and right to left \u202e".encode(),
    )  # fmt: skip
    """Logs that break careless receivers, each of which must become one log. None has a newline."""

    deadline = 20.0
    """Seconds for one check."""

    soon = 5.0
    """Seconds in which the receiver must end when the service stops."""

    def make_receiver(self, directory: Path) -> Any:
        """A new receiver for this directory: the same directory means the same file, queue or port.

        Required: without it, the checks fail and say what is missing. Listen on `127.0.0.1:0`.
        """
        raise NotImplementedError(
            f"{type(self).__name__}.make_receiver(self, directory) must return the receiver under test"
        )

    async def send(self, place: OpenReceiver, logs: Sequence[bytes]) -> None:
        """Send logs as a client does, in order; raise when it hears that they were not taken. Required."""
        raise NotImplementedError(f"{type(self).__name__}.send(self, place, logs) must send the logs to the receiver")

    async def rotate(self, place: OpenReceiver) -> None:
        """Put an empty file in place of the one that is read, as log rotation does. Optional, for files."""
        raise NotSupported("this suite says no `rotate`")

    def around(self, directory: Path) -> contextlib.AbstractAsyncContextManager[Any]:
        """What a check needs around it, in the same event loop, such as a broker. Optional."""
        return contextlib.nullcontext()

    @contextlib.asynccontextmanager
    async def running(
        self, directory: Path, *faults: Fault, position: bytes | None = None, data: str = "service"
    ) -> AsyncIterator[Run]:
        """The service with the receiver, its data in a directory of this name."""
        receiver = self.make_receiver(directory)
        run = Run(directory, faults, position)
        async with harness(given={"under-test": _Watched(receiver, run)}, data_dir=directory / data) as opened:
            run.harness = opened
            run.place.url = opened.url
            yield run
            ending = asyncio.get_running_loop().time()
        took = asyncio.get_running_loop().time() - ending
        assert took < self.soon + 1, f"the receiver did not end within {self.soon:g} s when the service stopped"

    def check(self, directory: Path, scenario: Callable[[], Awaitable[None]]) -> None:
        """Run one check in an event loop of its own, within the deadline."""

        async def limited() -> None:
            try:
                async with asyncio.timeout(self.deadline), self.around(directory):
                    await scenario()
            except TimeoutError:
                raise AssertionError(f"logs that were sent did not arrive within {self.deadline:g} s") from None

        try:
            asyncio.run(limited())
        except NotSupported as reason:
            skip(str(reason))

    def needs_place(self) -> None:
        """Skip the check for receivers whose logs do not wait for them."""
        if not self.keeps_place:
            raise NotSupported("keeps_place = False: what is sent while the service is down is not this receiver's")


class _Watched:
    """The receiver as a plugin: its lifespan gets the watched service."""

    def __init__(self, receiver: Any, run: Run) -> None:
        self._receiver = receiver
        self._run = run

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Any) -> AsyncIterator[None]:
        """Enter the receiver's lifespan."""
        async with self._receiver.lifespan(service=WatchedService(service, self._run)):
            yield


async def overloaded(_service: WatchedService, _records: list[Record], _more: dict[str, Any]) -> Receipt:
    """A fault: nothing is taken, later it is."""
    raise OverloadedError("too many logs wait", retry_after=0.01)


async def rejected(_service: WatchedService, _records: list[Record], _more: dict[str, Any]) -> Receipt:
    """A fault: a stage refuses the whole batch."""
    raise Reject("refused by a stage")


async def failed(_service: WatchedService, _records: list[Record], _more: dict[str, Any]) -> Receipt:
    """A fault that no receiver expects."""
    raise RetryableError("the journal is away", retry_after=0.01)


def dies(*, after_commit: bool) -> Fault:
    """A fault: the service dies before the commit, or after it and before the receiver hears of it."""

    async def fault(service: WatchedService, records: list[Record], more: dict[str, Any]) -> Receipt:
        if after_commit:
            await service.service.ingest(records, **more)
        service.run_of_check.died.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    return fault


def message_of(logs: Sequence[bytes]) -> Counter[str]:
    """What must be counted after these logs were sent once."""
    return Counter(log.decode() for log in logs)


def difference(found: Counter[str], expected: Counter[str]) -> str:
    """What is missing and what is too many, with an example."""
    missing, more = expected - found, found - expected
    return f"{missing.total()} logs missing, {more.total()} too many, such as {next(iter(missing or more), '')[:80]!r}"


async def happened(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; the check's deadline bounds it."""
    while not condition():  # noqa: ASYNC110  nobody tells of it
        await asyncio.sleep(0.01)
