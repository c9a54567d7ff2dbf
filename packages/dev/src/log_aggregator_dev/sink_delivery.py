"""Checks of a sink: what it is given is stored, all of it, whatever it looks like, and nobody else is held up."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec

from log_aggregator.model.aggregate import Alias, Anomaly
from log_aggregator.model.record import pattern_id
from log_aggregator.plugins.isolation import STALL
from log_aggregator.store import AnomalyQuery, PatternQuery, SeriesQuery
from log_aggregator_dev.factories import NOW, Flushes, make_aggregate
from log_aggregator_dev.harness import harness
from log_aggregator_dev.hostile import hostile_aggregates
from log_aggregator_dev.sink_suite import NotSupported, OpenSink, SinkSuite, counts
from log_aggregator_dev.store_answers import asked_of, compared, model_of, shown
from log_aggregator_dev.store_data import at, ordinary, renamed, unusual


class DeliveryChecks(SinkSuite):
    """Part of `SinkContract`."""

    def test_a_flush_is_stored_whole(self, tmp_path: Path) -> None:
        """Every aggregate of a flush is there, with its count."""
        rows = [make_aggregate(f"pattern {number}", number + 1, metadata=[{"n": number}]) for number in range(20)]

        async def scenario() -> None:
            async with self.opened(tmp_path) as opened:
                await opened.store(Flushes().next(rows))
                found = await self.read_back(opened)
                assert found == counts(rows), "what is stored is not what was in the flush"

        self.check(tmp_path, scenario)

    def test_flushes_add_up(self, tmp_path: Path) -> None:
        """The counts of several flushes with the same keys are added, not replaced."""

        async def scenario() -> None:
            flushes = Flushes()
            async with self.opened(tmp_path) as opened:
                for count in (1, 10, 100):
                    await opened.store(flushes.next([make_aggregate("repeated", count), make_aggregate("other", 1)]))
                found = await self.read_back(opened)
                assert found == {"repeated": 111, "other": 3}, "counts of several flushes do not add up"

        self.check(tmp_path, scenario)

    def test_an_empty_flush_is_taken(self, tmp_path: Path) -> None:
        """A flush without aggregates, or with events only, is no error, and the next one is stored."""
        alias = Alias("0" * 16, "User {ID} logged in", NOW)
        anomaly = Anomaly("a1", "spike", "open", "notify", "0" * 16, "pattern", "ERROR", "app", NOW, NOW, 0.9)

        async def scenario() -> None:
            flushes = Flushes()
            async with self.opened(tmp_path) as opened:
                await opened.store(flushes.next())
                await opened.store(flushes.next(aliases=[alias], anomalies=[anomaly]))
                await opened.store(flushes.next([make_aggregate("after")]))
                assert await self.read_back(opened) == {"after": 1}, "after empty flushes a full one was not stored"

        self.check(tmp_path, scenario)

    def test_a_huge_flush_is_stored(self, tmp_path: Path) -> None:
        """A flush of `huge` aggregates, as after an outage, is stored whole."""
        rows = [make_aggregate(f"pattern {number} of many", 2, source=f"s{number % 7}") for number in range(self.huge)]

        async def scenario() -> None:
            async with self.opened(tmp_path) as opened:
                await opened.store(Flushes().next(rows))
                found = await self.read_back(opened)
                assert sum(found.values()) == 2 * self.huge, "a huge flush lost logs"
                assert len(found) == self.huge, "a huge flush lost patterns"

        self.check(tmp_path, scenario)

    def test_hostile_text_costs_no_log(self, tmp_path: Path) -> None:
        """NUL, very long texts, huge numbers, quotes: every log is counted, whatever its text is stored as."""
        rows = list(hostile_aggregates())

        async def scenario() -> None:
            async with self.opened(tmp_path) as opened:
                await opened.store(Flushes().next(rows))
                found = await self.read_back(opened)
                kept = sum(found.values()) + await self.set_aside(opened)
                assert kept == sum(row.count for row in rows), "hostile texts or numbers cost logs"

        self.check(tmp_path, scenario)

    def test_the_flush_is_left_as_it_was(self, tmp_path: Path) -> None:
        """`on_flush` reads: other sinks are given the same aggregates."""
        flush = Flushes().next(make_aggregate(f"p{n}", metadata=[{"k": n}], tags={"t": 1}) for n in range(5))
        before = msgspec.msgpack.encode(flush)

        async def scenario() -> None:
            async with self.opened(tmp_path) as opened:
                await opened.store(flush)
                assert msgspec.msgpack.encode(flush) == before, "on_flush changed the flush"

        self.check(tmp_path, scenario)

    def test_the_loop_is_not_held_up(self, tmp_path: Path) -> None:
        """While a large flush is stored, the service goes on answering. The best of three tries counts."""
        rows = [make_aggregate(f"pattern {number}", metadata=[{"n": number}]) for number in range(2_000)]

        async def scenario() -> None:
            flushes = Flushes()
            async with self.opened(tmp_path) as opened:
                longest = [await _longest_pause(opened, flushes.next(rows)) for _ in range(3)]
                assert min(longest) < STALL, f"on_flush held up the event loop for {min(longest):.1f} s"

        self.check(tmp_path, scenario)

    def test_a_store_gives_back_what_was_stored(self, tmp_path: Path) -> None:
        """Of a sink that registers a store: series, metadata, aliases and anomalies. `StoreContract` asks for all."""

        async def scenario() -> None:
            stored = [*ordinary(flushes := Flushes()), *renamed(flushes), *unusual(flushes)]
            async with self.opened(tmp_path) as opened:
                store, model = opened.host.store, model_of(stored)
                if store is None:
                    raise NotSupported("this sink registers no store")
                for flush in stored:
                    await opened.store(flush)
                for query in (PatternQuery(), SeriesQuery(since=at(0), until=at(86_400)), AnomalyQuery()):
                    await asked_of(store, model, query)
                asked = pattern_id("User {ID} logged in")
                compared("pattern()", shown(await store.pattern(asked)), shown(model.pattern(asked)))

        self.check(tmp_path, scenario)

    def test_it_works_inside_the_service(self, tmp_path: Path) -> None:
        """Logs that are posted over HTTP arrive in the sink, through its lane."""

        async def scenario() -> None:
            sink = self.make_sink(tmp_path)
            async with harness(given={"under-test": sink}, data_dir=tmp_path / "service") as running:
                await running.post("one", "two", "two")
                outcome = await running.flush()
                assert outcome["sinks"].get("under-test") == {"outcome": "stored"}, f"the lane says {outcome['sinks']}"
            async with self.opened(tmp_path) as opened:
                found = await self.read_back(opened)
                assert found == {"one": 1, "two": 2}, "what was posted is not what is stored"

        self.check(tmp_path, scenario)


async def _longest_pause(opened: OpenSink, flush: object) -> float:
    """The longest time between two turns of the loop while the flush is stored."""
    longest, last = 0.0, time.perf_counter()
    task = asyncio.ensure_future(opened.sink.on_flush(flush=flush))
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest
