"""`log-aggregator db size`: what takes room, by source and pattern, and what a setting would save; in both stores."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from log_aggregator.cli.main import main as command
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_sqlite import SqliteSink
from tests.support.postgres import postgres_dsn, postgres_server
from tests.support.sinks import SECOND, Chain, aggregate, deliver, hosted

__all__ = ["postgres_dsn", "postgres_server"]


def old(n: int) -> Any:
    row = aggregate(f"p {n % 5}", n, source="loud" if n % 4 else "quiet")
    begun = int(time.time()) // 300 * 300 - 40 * 86_400 + n * 300
    return msgspec.structs.replace(row, bucket=begun, first_seen=begun * SECOND, last_seen=begun * SECOND, minutes=())


async def fill(sink: Any, directory: Path) -> None:
    async with hosted(sink, directory):
        await deliver(sink, Chain().flush([old(n) for n in range(1, 200)]))


@pytest.fixture(params=["sqlite", "postgres"])
def configured(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline with one store, and rows in it."""
    for name in ("POSTGRES_HOST", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    file = tmp_path / "plugins.toml"
    if request.param == "sqlite":
        file.write_text("[plugins.sqlite]\n")
        sink: Any = SqliteSink(SqliteSink.Config(maintenance_seconds=3600))
    else:
        dsn = request.getfixturevalue("postgres_dsn")
        file.write_text(f"[plugins.postgres]\ndsn = '{dsn}'\n")
        sink = PostgresSink(PostgresConfig.model_validate({"dsn": dsn, "maintenance_seconds": 3600}))
    asyncio.run(fill(sink, tmp_path))
    monkeypatch.setenv("PLUGINS_FILE", str(file))
    return file


def test_what_takes_room_is_told(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["db", "size", "--top", "3"]) == 0
    told = capsys.readouterr().out
    assert " for 199 rows, " in told
    lines = [line.split() for line in told.splitlines()]
    names = [line[0] for line in lines if line]
    assert names.index("loud") < names.index("quiet")
    assert sum(name == "p" for name in names) == 3
    saved = {line[0]: line[1:] for line in lines if line and "=" in line[0]}
    assert list(saved) == ["RETENTION_DAYS=30", "RETENTION_DAYS=90", "DETAILS_HOURS=24", "ROLLUP_DAYS=2"]
    assert saved["RETENTION_DAYS=90"][:2] == ["0", "bytes"]
    assert saved["DETAILS_HOURS=24"][1] == "kB"
    assert float(saved["ROLLUP_DAYS=2"][-1].rstrip("%")) > 10


def test_a_pipeline_without_a_store_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plugins.toml"
    file.write_text("[plugins.patterns]\n")
    assert command(["db", "--plugins", str(file), "size"]) == 1
    assert "no store of" in capsys.readouterr().err
