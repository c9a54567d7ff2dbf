"""What every sink check needs: opening the sink, giving it flushes, reading back what it holds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from log_aggregator.model.aggregate import Aggregate, Flush
from log_aggregator.store import PatternQuery
from log_aggregator_dev.host import Host, living


class NotSupported(Exception):  # noqa: N818  no fault: a part of the suite that a sink has no answer for
    """Raised by the parts of a suite that a plugin need not have."""


class OpenSink(NamedTuple):
    """A sink inside its lifespan."""

    sink: Any
    host: Host

    async def store(self, flush: Flush) -> None:
        """Give it a flush, as the lane does."""
        await self.sink.on_flush(flush=flush)


class SinkSuite:
    """What a sink's author says about the sink. See `SinkContract`."""

    exactly_once = True
    """Whether a flush that comes again counts once. A sink that cannot tell says `False`: at least once."""

    huge = 5_000
    """Aggregates in the largest flush that is tried."""

    deadline = 60.0
    """Seconds for one check."""

    soon = 5.0
    """Seconds in which a cancelled call, and a lifespan that is left, must end."""

    def make_sink(self, directory: Path) -> Any:
        """A new sink that stores in or for this directory: the same directory means the same store.

        Required: without it, the checks fail and say what is missing.
        """
        raise NotImplementedError(f"{type(self).__name__}.make_sink(self, directory) must return the sink under test")

    async def read_back(self, opened: OpenSink) -> dict[str, int]:
        """What is stored: pattern → how many logs. Without an own answer, the sink's store is asked."""
        if opened.host.store is None:
            raise NotImplementedError(
                f"{type(self).__name__}.read_back(self, opened) must return what is stored, as pattern → count: "
                "this sink registers no store that could be asked"
            )
        found: dict[str, int] = {}
        cursor: str | None = None
        while True:
            page = await opened.host.store.patterns(PatternQuery(limit=1000, cursor=cursor))
            for row in page.patterns:
                found[row.pattern] = found.get(row.pattern, 0) + row.count
            cursor = page.cursor
            if cursor is None:
                return found

    async def set_aside(self, opened: OpenSink) -> int:
        """Logs that the store refused and the sink keeps apart for a person. Optional: 0."""
        return 0

    def around(self, directory: Path) -> contextlib.AbstractAsyncContextManager[Any]:
        """What a check needs around it, in the same event loop, such as a server that the sink talks to. Optional."""
        return contextlib.nullcontext()

    def outage(self, directory: Path) -> contextlib.AbstractAsyncContextManager[None]:
        """While inside, what the sink stores in is out of reach. Optional: the checks that need it are skipped."""
        raise NotSupported("this suite says no `outage`")

    @contextlib.asynccontextmanager
    async def opened(self, directory: Path) -> AsyncIterator[OpenSink]:
        """The sink, inside its lifespan."""
        sink = self.make_sink(directory)
        async with living(sink, directory) as host:
            yield OpenSink(sink, host)

    def check(self, directory: Path, scenario: Callable[[], Awaitable[None]]) -> None:
        """Run one check in an event loop of its own, within the deadline."""

        async def limited() -> None:
            async with asyncio.timeout(self.deadline), self.around(directory):
                await scenario()

        try:
            asyncio.run(limited())
        except NotSupported as reason:
            skip(str(reason))

    def assert_count(self, found: int, expected: int, what: str) -> None:
        """Exactly as many logs are stored as expected; for a sink that may count again, at least as many."""
        if self.exactly_once:
            assert found == expected, f"{what}: {found} logs are stored, expected {expected}"
        else:
            assert found >= expected, f"{what}: {found} logs are stored, expected at least {expected}"


def skip(reason: str) -> None:
    """Let pytest skip the test that runs now."""
    import pytest  # noqa: PLC0415  whoever runs a suite has it; nobody else needs it

    pytest.skip(reason)


def counts(aggregates: Iterable[Aggregate]) -> dict[str, int]:
    """How many logs each pattern stands for."""
    found: dict[str, int] = {}
    for aggregate in aggregates:
        found[aggregate.pattern] = found.get(aggregate.pattern, 0) + aggregate.count
    return found
