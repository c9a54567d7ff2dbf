"""What is measured: our service and what it is compared with, each as a process pinned to one core."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.servers.service import ServiceProcess

HERE = Path(__file__).parent
PIPELINE = "".join(f"[plugins.{name}]\n" for name in ("redact", "patterns", "templates", "classify"))


class Server:
    """A running candidate: where it listens and what it has used."""

    def __init__(self, url: str, pid: int, watched: list[int] | None = None) -> None:
        self.url = url
        self._processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        self._database = [psutil.Process(other) for other in watched or []]

    def cpu(self) -> float:
        """CPU seconds of the server so far, user and system."""
        return sum(_cpu(process) for process in self._processes)

    def database_cpu(self) -> float:
        """CPU seconds of the database so far, with its present and finished children."""
        return sum(_cpu(p) + sum(_cpu(c) for c in p.children(recursive=True)) for p in self._database)

    def memory(self) -> int:
        """Resident bytes."""
        return sum(process.memory_info().rss for process in self._processes)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


@contextmanager
def ours(
    core: int, *, store: str = "sqlite", dsn: str = "", database: int | None = None, **environ: str
) -> Iterator[Server]:
    """The product with its default plugins and one store."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as directory:
        settings = {"BATCH_SIZE": "10", **environ, **(_postgres(dsn) if store == "postgres" else {})}
        command = ["taskset", "-c", str(core), str(Path(sys.executable).with_name("log-aggregator"))]
        process = ServiceProcess(Path(directory), f"{PIPELINE}[plugins.{store}]\n", settings, command=command).start()
        try:
            yield Server(process.url, process.running.pid, [database] if database else None)
        finally:
            process.stop()


@contextmanager
def script(name: str, core: int, *arguments: str, database: int | None = None) -> Iterator[Server]:
    """One of the baselines beside this file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["taskset", "-c", str(core), sys.executable, str(HERE / f"{name}.py"), str(port), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Server(f"http://127.0.0.1:{port}", process.pid, [database] if database else None)
    finally:
        process.terminate()
        process.wait(30)


def flush(server: Server) -> None:
    """Let what has gathered be stored."""
    request = urllib.request.Request(f"{server.url}/flush", method="POST")
    with urllib.request.urlopen(request, timeout=120) as answer:
        answer.read()


def _postgres(dsn: str) -> dict[str, str]:
    from urllib.parse import urlsplit

    parts = urlsplit(dsn)
    return {
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "",
        "POSTGRES_DB": parts.path.lstrip("/"),
    }


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the candidate did not start, exit code {process.poll()}")
