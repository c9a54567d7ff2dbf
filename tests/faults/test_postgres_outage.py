"""PostgreSQL fails in every way that the service promises to survive; it keeps accepting and catches up by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from tests.support.postgres import PASSWORD, PostgresServer
from tests.support.service import ServiceProcess

DEADLINE = 240.0
"""Seconds: it costs only when something is wrong, and a busy machine is not."""
PIPELINE = "[plugins.patterns]\n\n[plugins.postgres]\nlock_timeout = 1\nstatement_timeout = 3\ncommand_timeout = 4\n"

Statement = Callable[[str], Awaitable[Any]]


class Outage(NamedTuple):
    """How to break the database, what `/health` must say then, and how to mend it."""

    breaks: list[str]
    says: str
    mends: list[str]


KICK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'logs'"

OUTAGES = {
    "read_only": Outage(
        ["ALTER DATABASE logs SET default_transaction_read_only = on", KICK],
        "read-only",
        ["ALTER DATABASE logs RESET default_transaction_read_only", KICK],
    ),
    "too_many_connections": Outage(
        ["ALTER ROLE logs CONNECTION LIMIT 0", KICK], "too many connections", ["ALTER ROLE logs CONNECTION LIMIT -1"]
    ),
    "password_changed": Outage(
        ["ALTER ROLE logs PASSWORD 'another'", KICK],
        "check POSTGRES_PASSWORD",
        [f"ALTER ROLE logs PASSWORD '{PASSWORD}'"],
    ),
    "login_refused": Outage(["ALTER ROLE logs NOLOGIN", KICK], "check POSTGRES_USER", ["ALTER ROLE logs LOGIN"]),
    "permission_revoked": Outage(
        ["ALTER TABLE aggregated_logs OWNER TO postgres", "REVOKE ALL ON aggregated_logs FROM logs"],
        "a permission is missing",
        ["ALTER TABLE aggregated_logs OWNER TO logs"],
    ),
    "column_with_a_rule_of_its_own": Outage(
        [
            "ALTER TABLE aggregated_logs ADD COLUMN ticket TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE aggregated_logs ALTER COLUMN ticket DROP DEFAULT",
        ],
        "refuses every row",
        ["ALTER TABLE aggregated_logs DROP COLUMN ticket"],
    ),
    "trigger_that_refuses": Outage(
        [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
            "CREATE TRIGGER refuse BEFORE INSERT ON aggregated_logs FOR EACH ROW EXECUTE FUNCTION refuse()",
        ],
        "a trigger refused",
        ["DROP FUNCTION refuse CASCADE"],
    ),
    "column_of_another_type": Outage(
        [
            "ALTER TABLE aggregated_logs ALTER COLUMN latest_sample DROP DEFAULT",
            "ALTER TABLE aggregated_logs ALTER COLUMN latest_sample TYPE boolean USING false",
        ],
        "altered the table",
        ["ALTER TABLE aggregated_logs ALTER COLUMN latest_sample TYPE integer USING 0"],
    ),
    "table_renamed_and_back": Outage(
        ["DROP VIEW log_patterns", "ALTER TABLE flush_progress RENAME COLUMN sealed TO done"],
        "a column is missing",
        ["ALTER TABLE flush_progress RENAME COLUMN done TO sealed"],
    ),
    "database_renamed": Outage(
        [KICK, "ALTER DATABASE logs RENAME TO moved"], "does not exist", ["ALTER DATABASE moved RENAME TO logs"]
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        run(server, [f"CREATE ROLE logs LOGIN PASSWORD '{PASSWORD}'", "CREATE DATABASE logs OWNER logs"])
        yield server
    finally:
        server.remove()


def run(server: PostgresServer, statements: list[str], database: str = "postgres") -> list[Any]:
    """What an administrator does."""

    async def work() -> list[Any]:
        connection = await asyncpg.connect(server.dsn(database))
        try:
            return [await connection.fetch(statement) for statement in statements]
        finally:
            await connection.close()

    return asyncio.run(work())


@pytest.fixture(scope="module")
def running(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service that stores in the database `logs` as the ordinary role `logs`."""
    service = serve(server, tmp_path_factory.mktemp("service"))
    try:
        service.start()
        Sender(service).send(1)
        assert service.post("/flush?deadline=30")[1]["sinks"]["postgres"]["outcome"] == "stored"
        yield service
    finally:
        service.stop()


def serve(server: PostgresServer, directory: Path, **environ: str) -> ServiceProcess:
    given = {
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(server.port),
        "POSTGRES_DB": "logs",
        "POSTGRES_USER": "logs",
        "POSTGRES_PASSWORD": PASSWORD,
        "AGGREGATION_WINDOW": "0.2",
    }
    return ServiceProcess(directory, PIPELINE, {**given, **environ})


class Sender:
    """Sends logs and knows how many were accepted."""

    def __init__(self, service: ServiceProcess) -> None:
        self.service = service
        self.accepted = 0

    def send(self, count: int) -> None:
        logs = [{"message": f"User {n} logged in", "source": "web"} for n in range(count)]
        status, answer = self.service.post("/ingest/batch", {"logs": logs})
        assert status == 202, answer
        self.accepted += answer["accepted"]


def stored(server: PostgresServer) -> int:
    """All logs that are in the database."""
    if not run(server, ["SELECT to_regclass('aggregated_logs') IS NOT NULL AS there"], "logs")[0][0]["there"]:
        return 0
    rows = run(server, ["SELECT coalesce(sum(count), 0)::bigint AS logs FROM aggregated_logs"], "logs")
    return int(rows[0][0]["logs"])


def wait_for(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def reasons(service: ServiceProcess) -> str:
    """Everything that `/health` finds wrong."""
    health = service.get("/health")
    return " ".join(str(check["detail"]) for check in health["checks"].values() if not check["ok"])


def catch_up(service: ServiceProcess, server: PostgresServer, expected: int) -> None:
    """The lane finds out by itself that the server is back; a flush by hand only shortens its pause."""

    def caught_up() -> bool:
        service.post("/flush?deadline=2")
        return stored(server) == expected

    wait_for(caught_up, "everything accepted is stored once")
    wait_for(lambda: service.get("/health")["status"] == "healthy", "health is healthy again")


@pytest.mark.parametrize("name", OUTAGES)
def test_the_service_accepts_degrades_and_catches_up(
    name: str, running: ServiceProcess, server: PostgresServer
) -> None:
    outage, sender, before = OUTAGES[name], Sender(running), stored(server)
    of_server = [s for s in outage.breaks if s.startswith(("ALTER DATABASE", "ALTER ROLE", "SELECT"))]
    run(server, of_server or outage.breaks, "postgres" if of_server else "logs")
    try:
        for _ in range(5):
            sender.send(20)
        wait_for(lambda: outage.says in reasons(running), f"/health says why; it says: {reasons(running)}")
        assert running.get("/health")["status"] == "degraded"
        sender.send(20)
    finally:
        run(server, outage.mends, "postgres" if of_server else "logs")
    catch_up(running, server, before + sender.accepted)
    assert PASSWORD not in running.read_output()


def test_a_dropped_table_is_made_again(running: ServiceProcess, server: PostgresServer) -> None:
    sender = Sender(running)
    run(server, ["DROP TABLE aggregated_logs CASCADE"], "logs")
    sender.send(20)

    def stored_again() -> bool:
        running.post("/flush?deadline=2")
        return stored(server) == sender.accepted

    wait_for(stored_again, "the table is there again, with what came since")
    assert "was damaged and is repaired" in running.read_output()


def test_a_crash_of_the_server_under_load(running: ServiceProcess, server: PostgresServer) -> None:
    sender, before = Sender(running), stored(server)
    for _ in range(3):
        for _ in range(5):
            sender.send(50)
        server.restart(immediate=True)
    catch_up(running, server, before + sender.accepted)


def test_down_at_the_start_and_down_for_long(server: PostgresServer, tmp_path: Path) -> None:
    before = stored(server)
    server.stop()
    service = serve(server, tmp_path)
    try:
        service.start()
        sender = Sender(service)
        for _ in range(30):
            sender.send(100)
        wait_for(lambda: "connection refused" in reasons(service), "/health says why")
        assert PASSWORD not in str(service.get("/stats")) + str(service.get("/health"))
        server.start()
        catch_up(service, server, before + sender.accepted)
    finally:
        service.stop()
        if server.process is not None and server.process.poll() is not None:
            server.start()


def test_a_server_that_was_stopped_for_long_is_found_again_within_seconds(
    server: PostgresServer, tmp_path: Path
) -> None:
    """Nobody asks: the pauses stay short while connections are refused, and what gathered meanwhile comes too."""
    before = stored(server)
    service = serve(server, tmp_path, AGGREGATION_WINDOW="3600")
    try:
        service.start()
        sender = Sender(service)
        sender.send(20)
        wait_for(lambda: stored(server) == before + sender.accepted, "the first logs are stored")
        server.stop()
        sender.send(20)
        pauses = [0.0]
        wait_for(lambda: "connection refused" in reasons(service), "/health says why")

        def failed_often() -> bool:
            sink = service.get("/stats")["sinks"]["postgres"]
            # A connection that the stopping server ends is another error, after which pauses may grow.
            if "connection refused" in (sink["last_error"] or ""):
                pauses.append(sink["pause_seconds"])
            return bool(sink["failures_in_a_row"] >= 10)

        wait_for(failed_often, "the service goes on asking")
        assert 0 < max(pauses) <= 2
        sender.send(20)
        server.start()
        wait_for(lambda: stored(server) == before + sender.accepted, "all is stored, though nobody asked")
    finally:
        service.stop()
        if server.process is not None and server.process.poll() is not None:
            server.start()


def test_a_stop_while_the_server_is_down_is_orderly_and_loses_nothing(server: PostgresServer, tmp_path: Path) -> None:
    before = stored(server)
    service = serve(server, tmp_path, SHUTDOWN_TIMEOUT="3")
    try:
        service.start()
        sender = Sender(service)
        sender.send(10)
        server.stop(immediate=True)
        sender.send(10)
        started = time.monotonic()
        assert service.terminate() == 0
        assert time.monotonic() - started < 60, "it waits for its own timeout, not for the server"
        server.start()
        service.start()
        catch_up(service, server, before + sender.accepted)
    finally:
        service.stop()
