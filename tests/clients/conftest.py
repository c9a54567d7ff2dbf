"""The service that the clients send to, and a broker beside it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.receiving import BROKER, DEADLINE, PYTHON, Receiving, free_ports, pipeline
from tests.support.service import ServiceProcess


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[dict[str, int]]:
    """The port of a running mosquitto; nothing where it is not installed."""
    if BROKER is None:
        yield {}
        return
    ports = free_ports(("mqtt",))
    file = tmp_path / "mosquitto.conf"
    file.write_text(f"listener {ports['mqtt']} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen([BROKER, "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield ports
    process.terminate()
    process.wait(DEADLINE)


@pytest.fixture
def receiving(start_service: Callable[..., ServiceProcess], broker: dict[str, int]) -> Receiving:
    """A service with every receiver on."""
    if not PYTHON.exists():
        pytest.skip("build/clients is not there: `make test-clients` installs the clients")
    ports = free_ports(("syslog", "gelf", "forward", "lines")) | broker
    at = (time.time() // 60 - 10) * 60.0
    return Receiving(start_service(pipeline(ports)), ports, at)
