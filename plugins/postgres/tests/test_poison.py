"""Rows that PostgreSQL refuses: found among their neighbors, set aside, listed, tried again."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from log_aggregator import pattern_id
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Alias, Anomaly
from log_aggregator.store import AnomalyQuery
from log_aggregator_postgres import PostgresSink
from log_aggregator_postgres.commands import main as command
from tests.support.sinks import Chain, Host, aggregate, all_patterns, deliver, total

POISONS: dict[str, dict[str, Any]] = {
    "nul_in_pattern": {"pattern": "a\0b"},
    "nul_in_source": {"source": "a\0b"},
    "nul_in_sample": {"samples": Samples(("a\0b",), 0)},
    "nul_in_metadata": {"metadata": summarize([{"k\0": "v\0"}])},
    "surrogate_in_pattern": {"pattern": "a\ud800b"},
    "surrogate_in_sample": {"samples": Samples(("a\udfffb",), 0)},
    "surrogate_in_tag": {"tags": {"\ud800": 1}},
}


def run(sink: PostgresSink, monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    monkeypatch.setenv("PLUGINS_FILE", "/nowhere/plugins.toml")
    monkeypatch.setattr("log_aggregator_postgres.commands.PostgresConfig", lambda: sink._config)
    return command(list(argv))


REFUSE = "ALTER TABLE aggregated_logs ADD CONSTRAINT picky CHECK (message_pattern NOT LIKE '%poison%')"
ACCEPT = "ALTER TABLE aggregated_logs DROP CONSTRAINT picky"


@pytest.mark.parametrize("name", POISONS)
async def test_text_that_no_database_holds_is_cleaned(
    name: str, sink: PostgresSink, host: Host, database: asyncpg.Connection
) -> None:
    chain = Chain()
    for _ in range(2):
        poison = aggregate(**{"pattern": "poison", "count": 5, **POISONS[name]})
        flush = chain.flush([*[aggregate(f"pattern {n}", 1) for n in range(37)], poison])
        for _ in range(2):
            await deliver(sink, flush)
    assert await total(host.store) == chain.sent
    assert await database.fetchval("SELECT count(*) FROM log_quarantine") == 0
    assert await database.fetchval("SELECT count(*) FROM aggregated_logs") == 38


async def test_a_poison_row_is_set_aside_and_its_neighbors_are_stored(
    sink: PostgresSink,
    host: Host,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    chain = Chain()
    await deliver(sink, chain.flush())
    await database.execute(REFUSE)
    neighbors = [aggregate(f"pattern {n}", 1) for n in range(37)]
    flush = chain.flush([*neighbors[:20], aggregate("poison", 5), *neighbors[20:]])
    for _ in range(2):
        await deliver(sink, flush)
    assert await total(host.store) == 37
    assert await database.fetchval("SELECT sum(logs)::int FROM log_quarantine") == 5
    assert "5 logs" in caplog.text
    health = await host.store.health()
    assert (health.reachable, health.figures["quarantined_logs"]) == (True, 5)
    assert "5 logs in quarantine" in health.detail
    assert await asyncio.to_thread(run, sink, monkeypatch, "quarantine") == 0
    assert "5 logs\tSQLSTATE 23514" in capsys.readouterr().out
    assert await asyncio.to_thread(run, sink, monkeypatch, "retry") == 1
    await database.execute(ACCEPT)
    assert await asyncio.to_thread(run, sink, monkeypatch, "retry") == 0
    assert "stored 1 rows" in capsys.readouterr().out
    assert await total(host.store) == 42
    assert await database.fetchval("SELECT count(*) FROM log_quarantine") == 0
    await deliver(sink, chain.flush([aggregate("pattern 1", 1), aggregate("poison", 1)]))
    assert await total(host.store) == 44


async def test_many_poison_rows_in_many_pieces(sink: PostgresSink, host: Host, database: asyncpg.Connection) -> None:
    chain = Chain()
    await deliver(sink, chain.flush())
    await database.execute(REFUSE)
    rows = [aggregate(f"{'poison' if n % 500 == 7 else 'pattern'} {n}", 1, metadata={}, tags={}) for n in range(2500)]
    await deliver(sink, chain.flush(rows))
    assert await total(host.store) == 2495
    assert await database.fetchval("SELECT count(*) FROM log_quarantine") == 5


async def test_a_count_beyond_64_bits_is_set_aside_and_stays(
    sink: PostgresSink, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Chain()
    await deliver(sink, chain.flush([aggregate("huge", 2**62)]))
    await deliver(sink, chain.flush([aggregate("huge", 2**62), aggregate("small", 1)]))
    assert await total(host.store, q="small") == 1
    assert await total(host.store, q="huge") == 2**62
    assert await asyncio.to_thread(run, sink, monkeypatch, "retry") == 1


async def test_what_rides_on_a_flush_never_holds_it_up(sink: PostgresSink, host: Host) -> None:
    bad_alias = Alias(pattern_id("a"), "b\0", 1)
    bad_anomaly = Anomaly(
        "id\0", "spike", "open", "notify", "p", "te\0xt", "INFO", "web", 1, 2, 0.5, 1, None, {"\0": "\ud800"}
    )
    await deliver(sink, Chain().flush([aggregate(count=3)], [bad_alias], [bad_anomaly]))
    assert await total(host.store) == 3


async def test_an_event_that_is_refused_is_left_out_and_the_others_are_stored(
    sink: PostgresSink, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    def anomaly(name: str, started: int) -> Anomaly:
        return Anomaly(name, "spike", "open", "notify", "p", "text", "INFO", "web", started, 2, 0.5, 1)

    aliases = [Alias(pattern_id("a"), "z", 2**70), Alias(pattern_id("b"), "c", 1)]
    flush = Chain().flush([aggregate("b", 3)], aliases, [anomaly("bad", 2**70), anomaly("good", 1)])
    for _ in range(2):
        await deliver(sink, flush)
    assert [(row.pattern, row.count) for row in await all_patterns(host.store)] == [("c", 3)]
    assert [found["id"] for found in await host.store.anomalies(AnomalyQuery())] == ["good"]
    assert "refused an alias" in caplog.text
    assert "refused an anomaly" in caplog.text
