"""What is measured: our service and what it is compared with, each as a process pinned to some cores."""

from __future__ import annotations

import contextlib
import importlib.util
import json
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
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.support.service import ServiceProcess

HERE = Path(__file__).parent
PIPELINE = "".join(f"[plugins.{name}]\n" for name in ("formats", "redact", "classify", "patterns", "templates"))
BASELINE_NEEDS = ("fastapi", "uvicorn", "httptools")
"""What `baseline_fastapi.py` needs beside what our own tests need."""

FLUSH_DEADLINE = 60
WORKERS_DEADLINE = 60.0


class Server:
    """A running candidate: where it listens and what it has used. `stores` says whether it knows `POST /flush`.

    `data_dir` is where our service keeps its files; the comparisons have none.
    """

    def __init__(
        self,
        url: str,
        pid: int,
        watched: list[int] | None = None,
        *,
        stores: bool = True,
        data_dir: Path | None = None,
    ) -> None:
        self.url = url
        self.stores = stores
        self.data_dir = data_dir
        self._process = psutil.Process(pid)
        self._database = [psutil.Process(other) for other in watched or []]

    def cpu(self) -> float:
        """CPU seconds of the server so far, user and system, with its present and finished children."""
        return _cpu_of_all(self._process)

    def database_cpu(self) -> float:
        """CPU seconds of the database so far, with its present and finished children."""
        return sum(map(_cpu_of_all, self._database))

    def memory(self) -> int:
        """Resident bytes, of all processes."""
        return sum(self.memory_by_process())

    def memory_by_process(self) -> list[int]:
        """Resident bytes, the first process first."""
        return [process.memory_info().rss for process in (self._process, *self._process.children(recursive=True))]

    def open_files(self) -> int:
        """How many file descriptors are open, of all processes."""
        return sum(process.num_fds() for process in (self._process, *self._process.children(recursive=True)))

    def cpu_by_child(self) -> dict[int, float]:
        """CPU seconds of each process that the first one has started, by its id."""
        return {child.pid: _cpu(child) for child in self._process.children(recursive=True)}


def _cpu_of_all(process: psutil.Process) -> float:
    own = _cpu(process)  # first: a child that ends in between is missed then, not counted twice
    return own + sum(map(_cpu, process.children(recursive=True)))


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def baseline_missing() -> list[str]:
    """Which packages the obvious implementation lacks here; empty when it can run."""
    return [name for name in BASELINE_NEEDS if importlib.util.find_spec(name) is None]


@contextmanager
def ours(
    cores: int | str | None,
    *,
    store: str = "sqlite",
    dsn: str = "",
    database: int | None = None,
    pipeline: str = "",
    **environ: str,
) -> Iterator[Server]:
    """The product with its default plugins and one store, or with another pipeline, on some cores ("0,1") or on all.

    With `WORKERS` it is yielded when all of them answer.
    """
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as directory:
        settings = {"BATCH_SIZE": "10", **environ, **(postgres_settings(dsn) if store == "postgres" else {})}
        command = [*_pinned(cores), str(Path(sys.executable).with_name("log-aggregator"))]
        chain = pipeline or f"{PIPELINE}[plugins.{store}]\n"
        process = ServiceProcess(Path(directory), chain, settings, command=command)
        try:
            process.start()
            _wait_for_workers(process, int(environ.get("WORKERS", "1")))
            watched = [database] if database else None
            yield Server(process.url, process.running.pid, watched, data_dir=process.data_dir)
        finally:
            process.stop()


@contextmanager
def script(name: str, core: int, *arguments: str, database: int | None = None, stores: bool = True) -> Iterator[Server]:
    """One of the baselines beside this file."""
    port = free_port()
    command = [*_pinned(core), sys.executable, str(HERE / f"{name}.py"), str(port), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Server(f"http://127.0.0.1:{port}", process.pid, [database] if database else None, stores=stores)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def flush(server: Server) -> dict[str, Any]:
    """Let what has gathered be stored; the answer. Raises `RuntimeError` when a sink does not have it then."""
    url = f"{server.url}/flush?deadline={FLUSH_DEADLINE}"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=2 * FLUSH_DEADLINE) as answer:
        told: dict[str, Any] = json.loads(answer.read())
    if told.get("sealed") is False or any(sink["outcome"] != "stored" for sink in told.get("sinks", {}).values()):
        raise RuntimeError(f"not everything could be stored within {FLUSH_DEADLINE} s: {told}")
    return told


def postgres_settings(dsn: str) -> dict[str, str]:
    """The environment variables for the database at an address."""
    parts = urlsplit(dsn)
    return {
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "",
        "POSTGRES_DB": parts.path.lstrip("/"),
    }


def _pinned(cores: int | str | None) -> list[str]:
    return [] if cores is None else ["taskset", "-c", str(cores)]


def _wait_for_workers(process: ServiceProcess, count: int) -> None:
    deadline = time.monotonic() + WORKERS_DEADLINE
    while count > 1:
        with contextlib.suppress(OSError):
            if process.get("/stats")["workers"] == count:
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"not all of {count} workers answer:\n{process.read_output()}")
        time.sleep(0.05)


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
