"""The log files of a Debian: made here by dpkg, nginx and PostgreSQL; the kernel's and apt's by hand."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.clients.receiving import DEADLINE, ROOT
from tests.support.postgres import PostgresServer, free_port
from tests.support.service import COMMAND

pytestmark = pytest.mark.clients

CONTROL = """Package: shop
Version: 2.36-9+deb12u{number}
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: nothing
"""
NGINX = """daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log info;
events {{ worker_connections 64; }}
http {{
  access_log {home}/access.log combined;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  server {{
    listen 127.0.0.1:{port}; root {home};
    location /orders {{ return 200 "ok"; }}
    location /nowhere {{ return 404; }}
    location /down {{ proxy_pass http://127.0.0.1:{closed}; }}
  }}
}}
"""
KERNEL = """[    0.000000] Linux version 6.1.0-28-amd64 (debian-kernel@lists.debian.org) (gcc-12 12.2.0)
[    0.712411] pci 0000:00:01.0: [8086:7000] type 00 class 0x060100
[    1.402114] ACPI: Interpreter enabled
[    2.118845] EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.
[    3.000021] systemd[1]: Hostname set to <web-1>.
[    4.310077] EDAC MC: Ver: 3.0.0
[    5.000101] ERST: Error Record Serialization Table (ERST) support is initialized.
[    5.120001] GHES: APEI firmware first mode is enabled by APEI bit.
[    6.000000] RAS: Correctable Errors collector initialized.
[    7.500000] random: crng init done
"""
TERM = """Log started: 2026-11-30  13:13:23
Selecting previously unselected package libgpg-error0:amd64.
(Reading database ... 31415 files and directories currently installed.)
Preparing to unpack .../libgpg-error0_1.46-1_amd64.deb ...
Unpacking libgpg-error0:amd64 (1.46-1) ...
Setting up libgpg-error0:amd64 (1.46-1) ...
Processing triggers for libc-bin (2.36-9+deb12u10) ...
Log ended: 2026-11-30  13:13:24
"""


def read(file: Path) -> list[dict[str, Any]]:
    """Each log of a file, by the pipeline of the project."""
    command = [COMMAND, "patterns", str(file), "--json", "--plugins", str(ROOT / "plugins.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for one in found:
        one["at"] = datetime.fromisoformat(one["timestamp"]).timestamp()
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_dpkg_installs_and_removes_without_an_error(tmp_path: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg is not there: not a Debian")
    root, log, began = tmp_path / "root", tmp_path / "dpkg.log", int(time.time())
    for part in ("updates", "info", "triggers"):
        (root / "var/lib/dpkg" / part).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    actions = []
    for number in (1, 2):
        package = tmp_path / f"shop-{number}"
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN/control").write_text(CONTROL.format(number=number))
        built = ["dpkg-deb", "--root-owner-group", "--build", str(package), str(tmp_path / f"{number}.deb")]
        subprocess.run(built, check=True, capture_output=True, timeout=DEADLINE)
        actions.append(["--install", str(tmp_path / f"{number}.deb")])
    options = [f"--root={root}", f"--log={log}", "--force-not-root", "--force-script-chrootless"]
    for action in (*actions, ["--remove", "shop"]):
        ran = subprocess.run(["dpkg", *options, *action], capture_output=True, text=True, check=False, timeout=DEADLINE)
        assert ran.returncode == 0, ran.stderr
    found = read(log)
    assert len(found) > 15
    assert {one["level"] for one in found} == {"INFO"}
    # dpkg writes the local time without a zone.
    shift = datetime.now().astimezone().utcoffset()
    assert shift is not None
    assert all(began <= one["at"] - shift.total_seconds() <= time.time() for one in found)
    assert any(one["pattern"].startswith("status ") for one in found)


def test_nginx_is_read_with_its_levels_and_routes(tmp_path: Path) -> None:
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip("nginx is not there: apt-get install nginx-light")
    began, port, closed = int(time.time()), free_port(), free_port()
    (tmp_path / "nginx.conf").write_text(NGINX.format(home=tmp_path, port=port, closed=closed))
    tmp_path.chmod(0o755)
    server = subprocess.Popen(
        [program, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")], stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: status(f"http://127.0.0.1:{port}/orders/0") == 200)
        for number in range(1, 10):
            assert status(f"http://127.0.0.1:{port}/orders/{number}?page={number}") == 200
        assert status(f"http://127.0.0.1:{port}/nowhere") == 404
        assert status(f"http://127.0.0.1:{port}/down") == 502
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(DEADLINE)
    requests = read(tmp_path / "access.log")
    assert all(began <= one["at"] <= time.time() for one in requests)
    assert Counter((one["level"], one["pattern"]) for one in requests) == {
        ("INFO", "200 GET /orders/{ID}"): 10,
        ("WARN", "404 GET {PATH}"): 1,
        ("ERROR", "502 GET /down"): 1,
    }
    errors = read(tmp_path / "error.log")
    assert all(began <= one["at"] <= time.time() for one in errors)
    failed = [one["pattern"] for one in errors if one["level"] == "ERROR"]
    assert len(failed) == 1
    assert failed[0].startswith("connect() failed")


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


async def test_postgresql_is_read_with_its_levels(tmp_path: Path) -> None:
    server, began = PostgresServer({"log_line_prefix": "%m [%p] %q%u@%d ", "log_timezone": "UTC"}), time.time()
    try:
        connection = await asyncpg.connect(server.start().dsn())
        for wrong in ("SELECT 1/0", "SELECT * FROM nowhere", "SELECT 'a' = ANY('{')"):
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(wrong)
        await connection.execute("DO $$ BEGIN RAISE WARNING 'errors were found and mended'; END $$")
        await connection.close()
        server.stop()
        (tmp_path / "postgresql.log").write_text(server.read_log())
    finally:
        server.remove()
    found = read(tmp_path / "postgresql.log")
    assert all(began - 1 <= one["at"] <= time.time() for one in found)
    levels = Counter(one["level"] for one in found)
    assert (levels["ERROR"], levels["WARN"], levels["FATAL"], levels["CRITICAL"]) == (3, 1, 0, 0)
    assert any("database system is ready" in one["pattern"] and one["level"] == "INFO" for one in found)


@pytest.mark.parametrize("text", [KERNEL, TERM], ids=["kernel", "apt"])
def test_an_ordinary_start_and_installation_hold_no_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.log").write_text(text)
    found = read(tmp_path / "file.log")
    assert len(found) == len(text.splitlines())
    assert {one["level"] for one in found} == {"INFO"}
    assert all(one["at"] <= datetime.now(UTC).timestamp() for one in found)
