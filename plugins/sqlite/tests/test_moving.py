"""Rows that were packed or rolled up lie together: where they were, whole pages become free."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.moving import PACKED, ROLLED_UP, next_ids
from tests.support.sinks import Chain, deliver, hosted, total

from .ageing import HOUR, old, settle


def ids(directory: Path) -> list[int]:
    with closing(sqlite3.connect(directory / "logs.sqlite3")) as connection:
        return [found for (found,) in connection.execute("SELECT id FROM aggregated_logs ORDER BY id")]


async def test_rows_move_when_they_are_packed_and_again_when_they_are_rolled_up(tmp_path: Path) -> None:
    sink, chain = SqliteSink(SqliteSink.Config(details_hours=0, rollup_days=0)), Chain()
    async with hosted(sink, tmp_path) as host:
        for at in range(0, 3 * HOUR, 900):
            await deliver(sink, chain.flush([old(f"p {n}", at) for n in range(20)]))
        assert ids(tmp_path) == list(range(1, 241))
        await settle(sink, host, details_hours=48)
        assert ids(tmp_path) == list(PACKED[:240])
        await settle(sink, host, rollup_days=7)
        assert ids(tmp_path) == list(ROLLED_UP[:60]), "no gaps between them"
        await deliver(sink, chain.flush([old("p 3", 1200), old("new", 60)]))
        await settle(sink, host)
        assert ids(tmp_path) == list(ROLLED_UP[:61]), "a row that is there already stays"
        assert await total(host.store) == 242


@pytest.mark.parametrize("place", [PACKED, ROLLED_UP], ids=["packed", "rolled up"])
async def test_a_full_range_and_rows_of_earlier_releases_take_no_id_twice(tmp_path: Path, place: range) -> None:
    sink, chain = SqliteSink(SqliteSink.Config(details_hours=0, rollup_days=0)), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([old("last", 0), old("earlier release", 0)]))
        with closing(sqlite3.connect(tmp_path / "logs.sqlite3", isolation_level=None)) as connection:
            connection.execute("UPDATE aggregated_logs SET id = ? WHERE id = 1", (place[-1],))
            connection.execute("UPDATE aggregated_logs SET id = ? WHERE id = 2", (-(2**62) + 7,))
            found = next_ids(connection, place)
            assert [next(found), next(found)] == [-(2**62) + 8, -(2**62) + 9]
            connection.execute("UPDATE aggregated_logs SET id = ? WHERE id = ?", (place[5], place[-1]))
            assert next(next_ids(connection, place)) == place[6]
        assert await total(host.store) == 2
