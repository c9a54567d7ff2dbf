"""A role that may not do its work is named by `check` and `/health/db`, with the GRANT that helps."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import ValidationError

from log_aggregator.oncall import Mark
from log_aggregator.sinks import Alias, Anomaly
from log_aggregator.storekit import OnCallQuestions
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.commands import main as command
from log_aggregator_postgres.maintenance import Maintenance
from log_aggregator_postgres.pool import Pool
from log_aggregator_postgres.privileges import _TABLES
from tests.support.sinks import Chain, aggregate, deliver, hosted, total


@pytest.fixture
async def role(database: asyncpg.Connection) -> AsyncIterator[str]:
    """A role that may log in and nothing else; its password is its name."""
    name = f"logs_{secrets.token_hex(4)}"
    await database.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    await database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield name
    await database.execute(f"DROP OWNED BY {name}")
    await database.execute(f"DROP ROLE {name}")


def as_role(dsn: str, role: str) -> str:
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{role}@{host}").geturl()


async def checked(dsn: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    file = directory / "plugins.toml"
    file.write_text(f"[plugins.postgres]\ndsn = '{dsn}'\n")
    monkeypatch.setenv("PLUGINS_FILE", str(file))
    return await asyncio.to_thread(command, ["check"])


async def test_a_role_that_may_not_create_tables_is_named_before_anything_fails(
    postgres_dsn: str, role: str, database: asyncpg.Connection, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    dsn = as_role(postgres_dsn, role)
    needed = f"GRANT USAGE, CREATE ON SCHEMA public TO {role}"
    assert await checked(dsn, tmp_path, monkeypatch) == 1
    assert needed in capsys.readouterr().err
    sink = PostgresSink(PostgresConfig.model_validate({"dsn": dsn, "pool_min": 0}))
    async with hosted(sink, tmp_path) as host:
        health = await host.store.health()
        assert not health.reachable
        assert needed in health.detail
        assert "dropped" not in health.detail + (health.figures["last_error"] or "")
        await database.execute(needed)
        await deliver(sink, Chain().flush([aggregate(count=2)]))
        assert (await host.store.health()).reachable
    assert await checked(dsn, tmp_path, monkeypatch) == 0


async def test_a_table_that_the_role_may_not_use_is_named(
    postgres_dsn: str, role: str, database: asyncpg.Connection, sink: PostgresSink, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    async with hosted(sink, tmp_path):
        await deliver(sink, Chain().flush([aggregate(count=2)]))
    dsn = as_role(postgres_dsn, role)
    await database.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    assert await checked(dsn, tmp_path, monkeypatch) == 0
    await database.execute(f"REVOKE INSERT ON flush_progress FROM {role}")
    assert await checked(dsn, tmp_path, monkeypatch) == 1
    assert f"GRANT INSERT ON flush_progress TO {role}" in capsys.readouterr().err


async def test_every_table_that_migrations_make_is_checked(
    sink: PostgresSink, tmp_path: Path, database: asyncpg.Connection
) -> None:
    async with hosted(sink, tmp_path):
        await deliver(sink, Chain().flush([aggregate(count=2)]))
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    assert {row[0] for row in await database.fetch(tables)} == set(_TABLES)


@pytest.fixture
async def granted(database: asyncpg.Connection) -> AsyncIterator[dict[str, str]]:
    """The three roles of the page on PostgreSQL, under names of this test; each password is the name."""
    page = (Path(__file__).parents[3] / "docs/how-to/postgres.md").read_text()
    script = page.partition("<!-- grants -->\n```sql\n")[2].partition("```")[0]
    tail = secrets.token_hex(4)
    names = {role: f"{role}_{tail}" for role in ("logs_owner", "logs_reader", "logs")}
    for role, name in names.items():
        script = re.sub(rf"\b{role}\b", name, script)
        script = re.sub(rf"(CREATE ROLE {name} LOGIN PASSWORD) '[^']*'", rf"\1 '{name}'", script)
    await database.execute(script)
    yield names
    for name in names.values():
        await database.execute(f"DROP OWNED BY {name}")
    for name in names.values():
        await database.execute(f"DROP ROLE {name}")


async def test_the_grants_of_the_page_are_enough_and_give_no_more(
    postgres_dsn: str, granted: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, service, reader = (as_role(postgres_dsn, granted[role]) for role in ("logs_owner", "logs", "logs_reader"))
    assert await checked(owner, tmp_path, monkeypatch) == 0
    assert await asyncio.to_thread(command, ["progress"]) == 0
    assert await checked(service, tmp_path, monkeypatch) == 0
    config = PostgresConfig.model_validate({"dsn": service, "pool_min": 0, "retention_days": 1, "rollup_days": 1})
    sink = PostgresSink(config)
    event = Anomaly("a", "spike", "open", "notify", "b" * 16, "p", "INFO", "web", 1, 1, 0.5)
    async with hosted(sink, tmp_path) as host:
        flush = Chain().flush([aggregate(count=2)], [Alias("a" * 16, "User {ID} logged in", 1)], [event])
        await deliver(sink, flush)
        assert await total(host.store) == 2
        assert (await host.store.health()).reachable
        assert isinstance(host.store, OnCallQuestions)
        await host.store.add_mark(Mark(id="m", slug="deploy", title="deploy", at=1))
    pool = Pool(config)
    await Maintenance(pool, config, 5).once()
    await pool.close()
    assert await asyncio.to_thread(command, ["retry"]) == 0
    for dsn, forbidden in (
        (service, "CREATE TABLE mine (a int)"),
        (service, "DROP TABLE aggregated_logs"),
        (service, "ALTER TABLE aggregated_logs ADD COLUMN a int"),
        (service, "TRUNCATE aggregated_logs"),
        (reader, "DELETE FROM aggregated_logs"),
        (reader, "INSERT INTO flush_progress VALUES ('a', 1, 1)"),
    ):
        connection = await asyncpg.connect(dsn)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
            assert await connection.fetchval("SELECT count(*) FROM log_patterns") is not None
        finally:
            await connection.close()


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_verification_without_a_root_certificate_stops_the_start(
    mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("log_aggregator_postgres.config._ROOT_CERT", tmp_path / "root.crt")
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    for options in ({"sslmode": mode}, {"dsn": f"postgresql://u:p@db/logs?sslmode={mode}"}):
        with pytest.raises(ValidationError, match=f"sslmode {mode}: needs the certificate.*POSTGRES_SSLROOTCERT"):
            PostgresConfig.model_validate(options)
    (tmp_path / "root.crt").touch()
    PostgresConfig.model_validate({"sslmode": mode})
