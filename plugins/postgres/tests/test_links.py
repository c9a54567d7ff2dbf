"""How the database is reached: slowly, not at all, through TLS, with a password that nobody may see."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest
from pydantic import ValidationError

from log_aggregator.errors import RetryableError
from log_aggregator_postgres import PostgresConfig, PostgresSink
from log_aggregator_postgres.commands import main as command
from log_aggregator_postgres.pool import Pool
from tests.support.link import Link
from tests.support.pgbouncer import PgBouncer, needs_pgbouncer
from tests.support.postgres import PASSWORD, PostgresServer, through
from tests.support.sinks import Chain, aggregate, deliver, hosted, total


def behind(link: Link, dsn: str, **options: object) -> PostgresSink:
    address = through(dsn, link.port, sslmode="disable")
    return PostgresSink(PostgresConfig.model_validate({"dsn": address, "pool_min": 0, **options}))


async def test_a_slow_link_is_waited_for(postgres_dsn: str, postgres_server, tmp_path: Path) -> None:
    async with Link(postgres_server.address) as link:
        link.delay = 0.05
        sink, chain = behind(link, postgres_dsn), Chain()
        async with hosted(sink, tmp_path) as host:
            for n in range(3):
                await deliver(sink, chain.flush([aggregate(count=2, at=n)]))
            assert await total(host.store) == 6
            assert (await host.store.health()).latency_ms >= 50


async def test_a_black_hole_costs_a_deadline_and_no_log(
    postgres_dsn: str, postgres_server, tmp_path: Path, database: asyncpg.Connection
) -> None:
    """A firewall drops packets: nothing is refused, nothing answers; locks must not stay either."""
    limits = {"command_timeout": 1, "statement_timeout": 1, "connect_timeout": 1, "acquire_timeout": 1}
    async with Link(postgres_server.address) as link:
        sink, chain = behind(link, postgres_dsn, **limits), Chain()
        async with hosted(sink, tmp_path) as host:
            await deliver(sink, chain.flush([aggregate(count=1)]))
            link.black_hole = True
            flush = chain.flush([aggregate(count=2)])
            started = time.monotonic()
            with pytest.raises(RetryableError, match="did not answer in time"):
                await sink.on_flush(flush)
            assert time.monotonic() - started < 30
            health = await host.store.health()
            assert (health.reachable, health.detail) == (False, "the server did not answer in time")
            assert health.figures["lag_seconds"] > 0
            link.black_hole = False
            await deliver(sink, flush)
            assert await total(host.store) == 3
            assert (await host.store.health()).figures["lag_seconds"] == 0


async def test_a_table_that_someone_locks_costs_a_deadline_and_no_log(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    sink, chain = make_sink(lock_timeout=0.2), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush([aggregate(count=1)]))
        async with database.transaction():
            await database.execute("LOCK TABLE aggregated_logs")
            flush = chain.flush([aggregate(count=2)])
            with pytest.raises(RetryableError, match="a lock was not free"):
                await sink.on_flush(flush)
        await deliver(sink, flush)
        assert await total(host.store) == 3


@needs_pgbouncer
async def test_behind_pgbouncer_in_transaction_mode(postgres_dsn: str, postgres_server, tmp_path: Path) -> None:
    """Migrations, flushes, reads and maintenance, each transaction on another server connection."""
    with PgBouncer(postgres_server, postgres_dsn) as pooler:
        address = through(postgres_dsn, pooler.port)
        options = {"dsn": address, "prepared_statements": False, "pool_min": 4, "maintenance_seconds": 0.1}
        config = PostgresConfig.model_validate(options)
        sink, chain = PostgresSink(config), Chain()
        async with hosted(sink, tmp_path) as host:
            for n in range(10):
                await deliver(sink, chain.flush([aggregate(f"pattern {i}", at=n) for i in range(10)]))
                assert await total(host.store) == chain.sent
                assert (await host.store.health()).reachable
            assert (await host.store.health()).figures["last_error"] is None
        assert len(await server_connections(config)) > 1, "the pooler is one"


async def server_connections(config: PostgresConfig) -> set[int]:
    """Those that serve a client which reads one after the other, when the pooler has four open."""
    pool = Pool(config)
    await asyncio.gather(*[pool.fetch("SELECT pg_sleep(0.3)", []) for _ in range(4)])
    found = {(await pool.fetch("SELECT pg_backend_pid()", []))[0][0] for _ in range(12)}
    await pool.close()
    return found


@needs_pgbouncer
async def test_a_pooler_that_forgets_prepared_statements_is_said(postgres_dsn: str, postgres_server) -> None:
    with PgBouncer(postgres_server, postgres_dsn) as pooler:
        if pooler.keeps_prepared_statements:
            pytest.skip("this PgBouncer keeps prepared statements")
        pool = Pool(PostgresConfig.model_validate({"dsn": through(postgres_dsn, pooler.port)}))

        async def read_much() -> None:
            await asyncio.gather(*[pool.fetch("SELECT pg_sleep(0.3)", []) for _ in range(4)])
            for _ in range(20):
                await pool.fetch("SELECT 1", [])

        with pytest.raises(RetryableError, match="prepared_statements = false"):
            await read_much()
        await pool.close()


def certificate(directory: Path, name: str, *more: str) -> tuple[Path, Path]:
    crt, key = directory / f"{name}.crt", directory / f"{name}.key"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    made = subprocess.run([*request, "-out", crt, "-keyout", key, *more], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"openssl cannot make a certificate here: {made.stderr.decode(errors='replace')[-200:]}")
    return crt, key


async def test_tls_is_verified_down_to_the_name(postgres_dsn: str, postgres_server, tmp_path: Path) -> None:
    crt, key = certificate(tmp_path, "server", "-addext", "subjectAltName=DNS:localhost")
    other, _ = certificate(tmp_path, "other")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(crt, key)

    async def says(link: Link, host: str, mode: str, ca: Path | None) -> str:
        parts = urlsplit(postgres_dsn)
        login = {"database": parts.path[1:], "user": parts.username, "password": unquote(parts.password or "")}
        config = PostgresConfig.model_validate(
            {"host": host, "port": link.port, "sslmode": mode, "sslrootcert": ca, "pool_min": 0, **login}
        )
        async with hosted(PostgresSink(config), tmp_path) as running:
            health = await running.store.health()
            return "ok" if health.reachable else health.detail

    async with Link(postgres_server.address, context) as link:
        assert await says(link, "localhost", "verify-full", crt) == "ok"
        assert await says(link, "localhost", "require", None) == "ok"
        assert "certificate was refused" in await says(link, "localhost", "verify-full", other)
        assert "certificate was refused" in await says(link, "127.0.0.1", "verify-full", crt)
        assert await says(link, "127.0.0.1", "verify-ca", crt) == "ok"
    async with Link(postgres_server.address) as plain:
        assert await says(plain, "localhost", "verify-full", crt) != "ok"
        assert await says(plain, "localhost", "prefer", None) == "ok"


def test_the_environment_gives_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "POSTGRES_HOST": "db", "POSTGRES_PORT": "6543", "POSTGRES_DB": "logs", "POSTGRES_USER": "me",
        "POSTGRES_PASSWORD": "hush", "POSTGRES_SSLMODE": "require", "RETENTION_DAYS": "30",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    config = PostgresConfig()
    arguments = config.connect_arguments()
    assert (arguments["host"], arguments["port"], arguments["user"]) == ("db", 6543, "me")
    assert (arguments["database"], arguments["password"]) == ("logs", "hush")
    assert "sslmode=require" in arguments["dsn"]
    assert config.retention_days == 30
    assert PostgresConfig.model_validate({"host": "other"}).host == "other"
    assert "hush" not in repr(config) + str(config.model_dump())


def test_wrong_options_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for options in (
        {"sslmode": "hush"},
        {"dsn": ["hush"]},
        {"password": {"a": "hush"}},
        {"pool_min": 50},
        {"dns": "hush"},
    ):
        with pytest.raises(ValidationError) as error:
            PostgresConfig.model_validate(options)
        assert "hush" not in str(error.value)
    monkeypatch.setenv("POSTGRES_SSLMODE", "verify-ful")
    with pytest.raises(ValidationError, match="sslmode"):
        PostgresConfig()


async def test_a_password_file_is_read_for_every_connection(own_postgres: PostgresServer, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    config = PostgresConfig.model_validate(
        {"host": "127.0.0.1", "port": own_postgres.port, "database": "postgres", "user": "postgres"}
        | {"password_file": secret, "password": None, "pool_min": 0}
    )
    sink, chain = PostgresSink(config), Chain()
    async with hosted(sink, tmp_path) as host:
        flush = chain.flush([aggregate(count=4)])
        with pytest.raises(RetryableError, match="check POSTGRES_PASSWORD") as error:
            await sink.on_flush(flush)
        assert "wrong" not in str(error.value)
        secret.write_text(PASSWORD + "\n")
        await deliver(sink, flush)
        assert await total(host.store) == 4


async def test_a_password_file_that_is_no_text_is_tried_again(own_postgres: PostgresServer, tmp_path: Path) -> None:
    """Whatever goes wrong before the schema is there, the next try comes."""
    secret = tmp_path / "password"
    secret.write_bytes(b"\xff")
    config = PostgresConfig.model_validate(
        {"host": "127.0.0.1", "port": own_postgres.port, "database": "postgres", "user": "postgres"}
        | {"password_file": secret, "password": None, "pool_min": 0}
    )
    sink, chain = PostgresSink(config), Chain()
    async with hosted(sink, tmp_path) as host:
        flush = chain.flush([aggregate(count=4)])
        with pytest.raises(RetryableError, match="unexpected: UnicodeDecodeError"):
            await sink.on_flush(flush)
        secret.write_text(PASSWORD)
        await deliver(sink, flush)
        assert await total(host.store) == 4


async def test_readers_leave_a_connection_to_flushes(make_sink, tmp_path: Path) -> None:
    sink, chain = make_sink(pool_max=3, acquire_timeout=200, command_timeout=200), Chain()
    async with hosted(sink, tmp_path) as host:
        await deliver(sink, chain.flush())
        readers = [asyncio.create_task(host.store._pool.fetch("SELECT pg_sleep(190)", [])) for _ in range(8)]
        await asyncio.sleep(0)
        for n in range(5):
            await deliver(sink, chain.flush([aggregate(count=1, at=n)]))
        assert not any(reader.done() for reader in readers), "flushes did not wait for readers"
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        assert await total(host.store) == 5


async def test_a_server_whose_default_is_serializable_is_no_obstacle(
    make_sink, database: asyncpg.Connection, tmp_path: Path
) -> None:
    name = await database.fetchval("SELECT current_database()")
    await database.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    sinks, chains = [make_sink() for _ in range(3)], [Chain(f"instance {n}") for n in range(3)]
    async with contextlib.AsyncExitStack() as stack:
        hosts = [await stack.enter_async_context(hosted(sink, tmp_path)) for sink in sinks]
        for sink, chain in zip(sinks, chains, strict=True):
            await deliver(sink, chain.flush())
        for n in range(5):
            rows = [aggregate(f"pattern {i}", 1, at=n) for i in range(200)]
            tries = [deliver(sink, chain.flush(rows)) for sink, chain in zip(sinks, chains, strict=True)]
            assert await asyncio.gather(*tries) == [1, 1, 1], "no conflict had to be tried again"
        assert await total(hosts[0].store) == sum(chain.sent for chain in chains)


async def test_no_command_shows_the_password(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLUGINS_FILE", "/nowhere/plugins.toml")
    parts = urlsplit(postgres_dsn)
    secret = parts.password
    assert secret, "the server asks for a password"
    missing = parts._replace(path=f"{parts.path}_missing").geturl()
    for dsn in (postgres_dsn, missing, postgres_dsn.replace(secret, f"wrong-{secret}")):
        config = PostgresConfig.model_validate({"dsn": dsn})
        monkeypatch.setattr("log_aggregator_postgres.commands.PostgresConfig", lambda config=config: config)
        for action in ("check", "progress", "quarantine", "retry"):
            await asyncio.to_thread(command, [action])
    shown = capsys.readouterr()
    assert "the database does not exist" in shown.err
    assert "PostgreSQL 1" in shown.out
    for hidden in (secret, unquote(secret)):
        assert hidden not in shown.out + shown.err
