"""The whole suite for stores, as one class: that of sinks, and every question compared with a model's answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from log_aggregator.errors import RetryableError
from log_aggregator.model.aggregate import Flush
from log_aggregator.model.record import pattern_id
from log_aggregator.store import AnomalyQuery, PatternQuery, SeriesQuery, Store
from log_aggregator_dev.factories import Flushes
from log_aggregator_dev.harness import harness
from log_aggregator_dev.sink_contract import SinkContract
from log_aggregator_dev.sink_suite import NotSupported, OpenSink
from log_aggregator_dev.store_answers import asked_of, compared, model_of, shown
from log_aggregator_dev.store_data import at, ordinary, renamed, unusual

_DAY = {"since": at(0), "until": at(86_400)}

Make = Callable[[Flushes], list[Flush]]


class StoreContract(SinkContract):
    """Everything that the service expects of a store. Inherit, say how the sink is made, and run pytest:

        class TestMyStore(StoreContract):
            def make_sink(self, directory):
                return MyStore(MyStore.Config(path=directory / "logs.db"))

    It holds every check of `SinkContract`, too. A store whose class says `by_source = True` is asked with `sources`.
    """

    def test_patterns_have_their_totals(self, tmp_path: Path) -> None:
        """Counts, times, levels, sources, category and tags of each pattern, summed over flushes."""
        self._compare(tmp_path, ordinary, [PatternQuery(), PatternQuery(order="count")])

    def test_filters_select_patterns(self, tmp_path: Path) -> None:
        """`level`, `source`, `category`, `q`, `ids`, `not_ids`: totals are of the rows that are asked for."""
        disk, login = pattern_id("Disk Full"), pattern_id("User {ID} logged in")
        self._compare(tmp_path, ordinary, [
            PatternQuery(level="ERROR"), PatternQuery(source="db"), PatternQuery(category="disk"),
            PatternQuery(q="disk full"), PatternQuery(q='"100% of"'), PatternQuery(q="level:error -disk"),
            PatternQuery(q="source:shop-*"), PatternQuery(q=f"id:{disk}"), PatternQuery(q="meta.region:r400"),
            PatternQuery(ids=(disk, "0" * 16)), PatternQuery(not_ids=(disk, login)), PatternQuery(level="NONE"),
        ])  # fmt: skip

    def test_times_select_patterns(self, tmp_path: Path) -> None:
        """`since` and `until`: what was seen last from `since` on, and first before `until`."""
        self._compare(tmp_path, ordinary, [
            PatternQuery(since=at(400)), PatternQuery(until=at(400)), PatternQuery(since=at(70), until=at(3700)),
            PatternQuery(since=at(90_000)), PatternQuery(since=at(0), level="ERROR", order="count"),
        ])  # fmt: skip

    def test_pages_fit_together(self, tmp_path: Path) -> None:
        """Each pattern is on one page, in the asked order; the last page has no cursor."""

        async def ask(store: Store, _model: Any) -> None:
            for order in ("newest", "count"):
                found: list[Any] = []
                cursor = None
                for _ in range(20):
                    page = await store.patterns(PatternQuery(order=order, limit=4, cursor=cursor))
                    assert len(page.patterns) <= 4, f"a page of at most 4 patterns has {len(page.patterns)}"
                    found += page.patterns
                    cursor = page.cursor
                    if cursor is None:
                        break
                ranks = [row.count if order == "count" else row.last_seen for row in found]
                assert len({row.pattern_id for row in found}) == len(found) == 13, (
                    f"order {order!r}: pages of 4 hold {len(found)} of 13 patterns, "
                    f"{len({row.pattern_id for row in found})} of them different"
                )
                assert ranks == sorted(ranks, reverse=True), f"order {order!r}: pages are not in the asked order"

        self._ask(tmp_path, ordinary, ask)

    def test_a_pattern_has_its_details(self, tmp_path: Path) -> None:
        """`pattern()` gives metadata and variables with their counts, samples, and logs with time and metadata."""

        async def ask(store: Store, model: Any) -> None:
            for name in ("User {ID} logged in", "Disk Full"):
                asked = pattern_id(name)
                compared(f"pattern({name!r})", shown(await store.pattern(asked)), shown(model.pattern(asked)))
            assert await store.pattern("0" * 16) is None, "pattern() of an unknown id is not None"

        self._ask(tmp_path, ordinary, ask)

    def test_series_count_over_time(self, tmp_path: Path) -> None:
        """`series()`: totals and points a step, of all logs, a level, a source, a pattern, or split by one."""
        login = pattern_id("User {ID} logged in")
        self._compare(tmp_path, ordinary, [
            SeriesQuery(**_DAY), SeriesQuery(step=3600, **_DAY), SeriesQuery(split_by="level", **_DAY),
            SeriesQuery(split_by="source", step=600, **_DAY), SeriesQuery(pattern_id=login, **_DAY),
            SeriesQuery(level="ERROR", **_DAY), SeriesQuery(source="db", **_DAY),
            SeriesQuery(since=at(300), until=at(3600)), SeriesQuery(since=at(90_000), until=at(90_300)),
        ])  # fmt: skip

    def test_series_know_minutes(self, tmp_path: Path) -> None:
        """A step of a minute: counts are in the minutes in which the logs came."""
        self._compare(tmp_path, ordinary, [
            SeriesQuery(step=60, **_DAY), SeriesQuery(step=60, since=at(60), until=at(480), split_by="level"),
        ])  # fmt: skip

    def test_aliases_are_applied(self, tmp_path: Path) -> None:
        """A generalised pattern is one row under its newest id, found by earlier ones; one taken back stands alone."""

        async def ask(store: Store, model: Any) -> None:
            for query in (PatternQuery(), PatternQuery(since=at(0)), PatternQuery(q="c"), PatternQuery(order="count")):
                await asked_of(store, model, query)
            for name in ("a", "b", "c", "e", "f"):
                asked = pattern_id(name)
                compared(f"pattern({name!r})", shown(await store.pattern(asked)), shown(model.pattern(asked)))
                await asked_of(store, model, SeriesQuery(pattern_id=asked, **_DAY))

        self._ask(tmp_path, renamed, ask)

    def test_anomalies_are_kept(self, tmp_path: Path) -> None:
        """Each anomaly once, with its highest revision and all fields, newest first; each filter selects."""
        self._compare(tmp_path, unusual, [
            AnomalyQuery(), AnomalyQuery(state="open"), AnomalyQuery(tier="recorded"), AnomalyQuery(source="db"),
            AnomalyQuery(pattern_id=pattern_id("b")), AnomalyQuery(since=at(500)), AnomalyQuery(until=at(500)),
            AnomalyQuery(limit=1), AnomalyQuery(state="resolved", tier="notify"),
        ])  # fmt: skip

    def test_sources_limit_every_answer(self, tmp_path: Path) -> None:
        """With `sources`, nothing is told of others: an API key may be bound to some. `shop-*` is a beginning."""

        async def ask(store: Store, model: Any) -> None:
            if not getattr(store, "by_source", False):
                raise NotSupported("the store's class does not say by_source = True: keys bound to sources get 403")
            for sources in (("db",), ("shop-*",), ("web", "shop-1"), ("nobody",)):
                for query in (
                    PatternQuery(sources=sources), PatternQuery(sources=sources, since=at(0)),
                    SeriesQuery(sources=sources, **_DAY), SeriesQuery(sources=sources, split_by="source", **_DAY),
                    AnomalyQuery(sources=sources),
                ):  # fmt: skip
                    await asked_of(store, model, query)
                for name in ("User {ID} logged in", "Disk Full"):
                    asked = pattern_id(name)
                    found, expected = await store.pattern(asked, sources=sources), model.pattern(asked, sources=sources)
                    compared(f"pattern({name!r}, sources={sources})", shown(found), shown(expected))

        self._ask(tmp_path, lambda flushes: [*ordinary(flushes), *unusual(flushes)], ask)

    def test_answers_outlive_the_store(self, tmp_path: Path) -> None:
        """A new store on the same data answers as the one before: aliases, anomalies and details are kept, too."""

        async def scenario() -> None:
            flushes = Flushes()
            stored = [*ordinary(flushes), *renamed(flushes), *unusual(flushes)]
            async with self.opened(tmp_path) as opened:
                for flush in stored:
                    await opened.store(flush)
            async with self.opened(tmp_path) as opened:
                store, model = _store_of(opened), model_of(stored)
                for query in (PatternQuery(), SeriesQuery(**_DAY), AnomalyQuery()):
                    await asked_of(store, model, query)
                asked = pattern_id("User {ID} logged in")
                compared("pattern() after a restart", shown(await store.pattern(asked)), shown(model.pattern(asked)))

        self.check(tmp_path, scenario)

    def test_an_empty_store_answers(self, tmp_path: Path) -> None:
        """After a flush without logs each question has an answer: none."""

        async def scenario() -> None:
            async with self.opened(tmp_path) as opened:
                store = _store_of(opened)
                await opened.store(Flushes().next())
                assert (await store.patterns(PatternQuery())).patterns == [], "patterns() of an empty store"
                assert await store.pattern("0" * 16) is None, "pattern() of an empty store"
                assert await store.series(SeriesQuery(**_DAY)) == [], "series() of an empty store"
                assert await store.anomalies(AnomalyQuery()) == [], "anomalies() of an empty store"
                assert (await store.health()).reachable, "health() says that the store cannot be reached"

        self.check(tmp_path, scenario)

    def test_the_service_reads_it(self, tmp_path: Path) -> None:
        """`GET /patterns`, `/patterns/{id}`, `/series`, `/anomalies` and `/health/db` answer from the store."""

        async def scenario() -> None:
            async with harness(given={"under-test": self.make_sink(tmp_path)}, data_dir=tmp_path / "service") as h:
                await h.post({"message": "hello", "source": "web", "metadata": {"region": "eu"}})
                await h.flush()
                rows = (await h.get("/patterns"))["patterns"]
                assert [(row["pattern"], row["count"]) for row in rows] == [("hello", 1)], "GET /patterns"
                detail = await h.get(f"/patterns/{rows[0]['pattern_id']}")
                assert detail["metadata"]["region"]["count"] == 1, "GET /patterns/{id} lacks the metadata"
                series = (await h.get("/series"))["series"]
                assert [one["total"] for one in series] == [1], "GET /series"
                for path in ("/anomalies", "/health/db"):
                    assert (await h.request("GET", path)).status == 200, f"GET {path}"

        self.check(tmp_path, scenario)

    def test_an_outage_is_told(self, tmp_path: Path) -> None:
        """While the data is out of reach questions raise `RetryableError`, or answer; `health()` never raises."""

        async def scenario() -> None:
            async with self.opened(tmp_path) as opened:
                store = _store_of(opened)
                await opened.store(ordinary(Flushes())[0])
                async with self.outage(tmp_path):
                    await store.health()
                    with contextlib.suppress(RetryableError):
                        await store.patterns(PatternQuery())

        self.check(tmp_path, scenario)

    def _ask(self, directory: Path, make: Make, ask: Any) -> None:
        """Store what `make` gives, and ask the store and the model."""

        async def scenario() -> None:
            flushes = make(Flushes())
            async with self.opened(directory) as opened:
                for flush in flushes:
                    await opened.store(flush)
                await ask(_store_of(opened), model_of(flushes))

        self.check(directory, scenario)

    def _compare(self, directory: Path, make: Make, queries: list[Any]) -> None:
        async def ask(store: Store, model: Any) -> None:
            for query in queries:
                await asked_of(store, model, query)

        self._ask(directory, make, ask)


def _store_of(opened: OpenSink) -> Store:
    store = opened.host.store
    assert store is not None, "the sink registers no store; expected service.register_store(…) in lifespan"
    return store
