"""Files as logging libraries write them, sent by `send`: each log arrives as it was told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.receiving import DEADLINE, PYTHON, ROOT
from tests.support.service import COMMAND, ServiceProcess

pytestmark = pytest.mark.clients

WRITERS = Path(__file__).parent / "writers"
MODULES = ROOT / "build/clients/node_modules"
LIBRARIES = sorted(path.name for path in WRITERS.iterdir() if not path.name.startswith(("told", "__")))
MILLISECOND = 0.001
"""What the formats cut off a time."""

RECORDER = '''
import json
from pathlib import Path
from pydantic import BaseModel
from log_aggregator import Batch, hookimpl

class Config(BaseModel, extra="forbid"):
    file: Path

class Recorder:
    """Writes every log that reaches it into a file."""
    Config = Config

    def __init__(self, config: Config) -> None:
        self._file = config.file

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        with self._file.open("a") as file:
            for record in batch:
                row = [record.message, record.level, record.source, record.timestamp / 1e6]
                file.write(json.dumps(row) + "\\n")
'''
PIPELINE = """plugins_dir = "plugins"
[plugins.formats]
[plugins.recorder]
file = "{file}"
[plugins.redact]
[plugins.patterns]
[plugins.sqlite]
"""


class Service:
    """A service that writes down every log as it is after `formats`."""

    def __init__(self, directory: Path) -> None:
        self.written = directory / "records.jsonl"
        (directory / "plugins").mkdir()
        (directory / "plugins/recorder.py").write_text(RECORDER)
        self.process = ServiceProcess(directory, PIPELINE.format(file=self.written))

    def send(self, logs: Path) -> list[tuple[str, str, str, float]]:
        """What the service took of a file, in its order."""
        self.written.write_text("")
        command = [COMMAND, "send", str(logs), "--url", self.process.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return [tuple(json.loads(line)) for line in self.written.read_text().splitlines()]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if not PYTHON.exists():
        pytest.skip("build/clients is not there: `make test-clients` installs the libraries")
    made = Service(tmp_path_factory.mktemp("service"))
    made.process.start()
    yield made
    made.process.stop()


def deviations(told: dict[str, Any], taken: tuple[str, str, str, float]) -> list[str]:
    """The names of what differs between a log that was told and the one that was taken."""
    message, level, source, at = taken
    # A logger may stay in front, and log4js begins the trace behind the message.
    logger, found_message, trace = message.partition(told["message"])
    found = {
        "message": not found_message or (bool(logger) and not logger.startswith(told["source"])),
        "level": level != told["level"],
        "source": source != told["source"],
        "time": not told["from"] - MILLISECOND <= at <= told["to"],
        "stack": not all(part in trace for part in told["stack"]) or bool(trace) != bool(told["stack"]),
    }
    return [name for name, wrong in found.items() if wrong]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_file_of_a_library_is_read_as_it_was_told(library: str, service: Service, tmp_path: Path) -> None:
    logs, expected = tmp_path / "app.log", tmp_path / "expected.jsonl"
    runs = "node" if library.endswith(".cjs") else str(PYTHON)
    if runs == "node" and not MODULES.exists():
        pytest.skip("build/clients/node_modules is not there: `make test-clients` installs them where npm is")
    subprocess.run(
        [runs, str(WRITERS / library), str(logs), str(expected)],
        check=True,
        timeout=DEADLINE,
        env={"NODE_PATH": str(MODULES), "PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC"},
    )
    told = [json.loads(line) for line in expected.read_text().splitlines()]
    taken = service.send(logs)
    assert len(taken) == len(told)
    wrong = [(one, two, names) for one, two in zip(told, taken, strict=True) if (names := deviations(one, two))]
    assert not wrong, f"{len(wrong)} of {len(told)}, the first: {wrong[0]}"
    assert max(at for *_, at in taken) < datetime.now(UTC).timestamp() - 3600
