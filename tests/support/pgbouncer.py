"""A real PgBouncer for tests, in transaction mode: each transaction on another server connection."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.postgres import START_DEADLINE, ForeignServer, PostgresServer, free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="no pgbouncer: apt-get install pgbouncer")

_SETTINGS = """
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {home}/users
pool_mode = transaction
default_pool_size = 4
server_round_robin = 1
"""


class PgBouncer:
    """Listens on a free port of 127.0.0.1; clients log in as the user of `dsn` and share four server connections.

    As root, it runs as the user `nobody`: PgBouncer refuses to run as root.
    """

    def __init__(self, server: PostgresServer | ForeignServer, dsn: str) -> None:
        host, server_port = server.address
        self.port = free_port()
        self._home = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        login = urlsplit(dsn)
        (self._home / "users").write_text(f'"{login.username}" "{unquote(login.password or "")}"\n')
        settings = _SETTINGS.format(host=host, server_port=server_port, port=self.port, home=self._home)
        (self._home / "pgbouncer.ini").write_text(settings)
        self._as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as_user:
            for path in (self._home, *self._home.iterdir()):
                shutil.chown(path, "nobody", "nogroup")

    def __enter__(self) -> Self:
        assert PROGRAM is not None
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, self._home / "pgbouncer.ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home,
                **self._as_user,
            )
        deadline = time.monotonic() + START_DEADLINE
        while not self._listens():
            assert self._process.poll() is None, (self._home / "log").read_text()
            assert time.monotonic() < deadline, (self._home / "log").read_text()
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(START_DEADLINE)
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def keeps_prepared_statements(self) -> bool:
        """Whether this version can: since 1.21."""
        assert PROGRAM is not None
        told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
        major, minor = re.findall(r"\d+", told)[:2]
        return (int(major), int(minor)) >= (1, 21)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
