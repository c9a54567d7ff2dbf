"""A real `log-aggregator serve` process for tests: started on a free port, killed, stopped, started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

START_DEADLINE = 120.0
"""Seconds until a started service must listen; generous, for a machine that is busy with other tests."""

STOP_DEADLINE = 120.0

COMMAND = str(Path(sys.executable).with_name("log-aggregator"))
"""The program as a person starts it."""

PIPELINE = "[plugins.patterns]\n\n[plugins.sqlite]\n"
"""What a test gets that does not bring a `plugins.toml` of its own."""


class ServiceProcess:
    """One data directory and the process that serves it. Its output is kept in `output`."""

    def __init__(
        self,
        directory: Path,
        pipeline: str = PIPELINE,
        environ: Mapping[str, str] | None = None,
        command: list[str] | None = None,
    ) -> None:
        self.data_dir = directory / "data"
        self.plugins_file = directory / "plugins.toml"
        self.plugins_file.write_text(pipeline)
        self.output = directory / "output.log"
        self.environ = dict(environ or {})
        self.command = command or [COMMAND]
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> ServiceProcess:
        """Start and wait until it listens. Raises `AssertionError` with its output when it does not."""
        self.spawn()
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            if self._listens():
                return self
            if self.running.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"the service did not start, exit code {self.running.returncode}:\n{self.read_output()}")

    def spawn(self) -> None:
        """Start without waiting: for services that are expected to fail."""
        settings = {
            "HOST": "127.0.0.1",
            "PORT": "0",
            "DATA_DIR": str(self.data_dir),
            "PLUGINS_FILE": str(self.plugins_file),
        }
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.command, "serve"],
                cwd=self.plugins_file.parent,
                env={**inherited, **settings, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self.process is not None, "the service was never started"
        return self.process

    def kill(self) -> None:
        """SIGKILL: no cleanup, as a crash or the out-of-memory killer would do it."""
        self.running.kill()
        self.running.wait(STOP_DEADLINE)

    def terminate(self) -> int:
        """SIGTERM, wait, and return the exit code."""
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(STOP_DEADLINE)

    def restart(self) -> ServiceProcess:
        """Start again on the same data directory; the port may differ."""
        if self.running.poll() is None:
            self.terminate()
        return self.start()

    def stop(self) -> None:
        """End it whatever its state; for the end of a test."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                self.kill()

    def read_output(self) -> str:
        """All it has printed, over all starts."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def get(self, path: str) -> Any:
        """GET a path; the decoded JSON. Raises `urllib.error.HTTPError` for 4xx and 5xx."""
        return self.request("GET", path)[1]

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """POST a value as JSON (or bytes as they are); status and decoded JSON, whatever the status."""
        try:
            return self.request("POST", path, body, headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request on a connection of its own."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data=data, headers=sent, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"null")

    def _listens(self) -> bool:
        """Whether the process of the last start (not one before a crash) says where it listens."""
        try:
            told = json.loads((self.data_dir / "service.json").read_bytes())
        except (OSError, ValueError):
            return False
        if told["pid"] != self.running.pid:
            return False
        self.url = told["url"].rstrip("/")
        return True


StartService = Callable[..., ServiceProcess]


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Start services: `start_service(pipeline, environ, name=…)`; all are ended after the test."""
    started: list[ServiceProcess] = []

    def start(pipeline: str = PIPELINE, environ: Mapping[str, str] | None = None, name: str = "") -> ServiceProcess:
        directory = tmp_path / (name or f"service-{len(started)}")
        directory.mkdir()
        service = ServiceProcess(directory, pipeline, environ)
        started.append(service)
        return service.start()

    yield start
    for service in started:
        service.stop()


@pytest.fixture
def service(start_service: StartService) -> ServiceProcess:
    """A running service with the patterns plugin and the SQLite store."""
    return start_service()
