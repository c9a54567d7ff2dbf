"""JSON columns of rows are stored deflated, and read back as they were."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from log_aggregator.model.record import pattern_id
from log_aggregator.model.summary import summarize
from log_aggregator.oncall import ValuesQuery
from log_aggregator.sinks import Aggregate
from log_aggregator.store import PatternQuery
from log_aggregator_sqlite import SqliteSink
from log_aggregator_sqlite.commands import main as command
from log_aggregator_sqlite.database import migrate
from log_aggregator_sqlite.deflating import deflated, inflated, text_of
from log_aggregator_sqlite.writer import set_aside
from tests.support.sinks import Chain, aggregate, deliver, hosted

LOGS = [{"user": f"ünal {number}", "took": f"{number}ms", "path": "/login"} for number in range(3)]


def made() -> Aggregate:
    row = aggregate("User {ID} logged in", 3)
    return msgspec.structs.replace(row, metadata=summarize(LOGS), variables=summarize([{"ID": "4711"}] * 3))


def stored(directory: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(directory / "logs.sqlite3")) as connection:
        return connection.execute("SELECT metadata, variables FROM aggregated_logs").fetchall()


@pytest.mark.parametrize("text", ["", "x", '{"a":"ä"}' * 40, "\x01" * 100], ids=["empty", "short", "long", "odd"])
def test_a_text_comes_back(text: str) -> None:
    assert inflated(deflated(text)) == text
    assert len(deflated(text) or "") <= max(64, len(text) // 3)


@pytest.mark.parametrize("value", [None, 7, "text", b"", b"\x01", b"\x01no such stream", b'{"a": 1}'], ids=repr)
def test_what_others_wrote_stays(value: Any) -> None:
    assert inflated(value) == value


def test_only_long_columns_are_inflated() -> None:
    assert [name for name in ("t.metadata", "variables", "t.tags") if "inflated" in text_of(name)] == [
        "t.metadata",
        "variables",
    ]


@pytest.mark.parametrize("json_text", [False, True], ids=["deflated", "text"])
async def test_questions_find_what_is_stored(tmp_path: Path, json_text: bool) -> None:
    sink, chain, one = SqliteSink(SqliteSink.Config(json_text=json_text, remembered_bytes=0)), Chain(), made()
    async with hosted(sink, tmp_path) as host:
        for _ in range(2):
            await deliver(sink, chain.flush([one]))
        detail = await host.store.pattern(pattern_id(one.pattern))
        assert detail is not None
        assert (detail.metadata["user"]["count"], detail.variables["ID"]["count"]) == (6, 6)
        for search, found in (("meta.path:/login", 1), ("var.ID:4711", 1), ("meta.path:/logout", 0)):
            assert len((await host.store.patterns(PatternQuery(q=search))).patterns) == found, search
        values = await host.store.values(ValuesQuery(key="user"))  # type: ignore[attr-defined]  # a `ValuesStore`
        assert {one.value: one.logs for one in values.values} == {log["user"]: 2 for log in LOGS}
    for column in stored(tmp_path)[0]:
        assert isinstance(column, str if json_text else bytes)
        assert isinstance(json.loads(inflated(column)), dict)


@pytest.mark.parametrize("json_text", [False, True], ids=["deflated", "text"])
def test_what_is_tried_again_is_stored_as_the_pipeline_says(
    tmp_path: Path, json_text: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PLUGINS_FILE", str(tmp_path / "plugins.toml"))
    (tmp_path / "plugins.toml").write_text(f"[plugins.sqlite]\njson_text = {str(json_text).lower()}\n")
    with closing(sqlite3.connect(tmp_path / "logs.sqlite3", isolation_level=None)) as connection:
        migrate(connection)
        set_aside(connection, "flush", [made()])
    assert command(["retry"]) == 0
    for column in stored(tmp_path)[0]:
        assert isinstance(column, str if json_text else bytes)


async def test_rows_of_both_forms_are_merged(tmp_path: Path) -> None:
    chain, one = Chain(), made()
    for json_text in (True, False):
        sink = SqliteSink(SqliteSink.Config(json_text=json_text))
        async with hosted(sink, tmp_path) as host:
            await deliver(sink, chain.flush([one]))
            detail = await host.store.pattern(pattern_id(one.pattern))
    assert detail is not None
    assert (detail.count, detail.metadata["user"]["count"]) == (6, 6)
