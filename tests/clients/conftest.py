"""The service that the clients send to, and a broker beside it: one for all tests of a process."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.clients.receiving import BROKER, DEADLINE, NATS, PYTHON, Receiving, free_ports, pipeline
from tests.support.service import ServiceProcess


@pytest.fixture(scope="session")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The ports of a running mosquitto and nats-server, of what is installed."""
    ports = free_ports(("mqtt", "nats"))
    commands: dict[str, list[str]] = {}
    if BROKER is not None:
        file = tmp_path_factory.mktemp("broker") / "mosquitto.conf"
        file.write_text(f"listener {ports['mqtt']} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        commands["mqtt"] = [BROKER, "-c", str(file)]
    if NATS is not None:
        commands["nats"] = [NATS, "-a", "127.0.0.1", "-p", str(ports["nats"])]
    with ExitStack() as running:
        for command in commands.values():
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(process.wait, DEADLINE)
            running.callback(process.terminate)
        yield {name: ports[name] for name in commands}


@pytest.fixture(scope="session")
def everything(
    tmp_path_factory: pytest.TempPathFactory, brokers: dict[str, int]
) -> Iterator[tuple[ServiceProcess, dict[str, int]]]:
    """A service with every receiver on, and the port of each."""
    if not PYTHON.exists():
        pytest.skip("build/clients is not there: `make test-clients` installs the clients")
    ports = free_ports(("syslog", "gelf", "forward", "lines")) | brokers
    service = ServiceProcess(tmp_path_factory.mktemp("service"), pipeline(ports)).start()
    yield service, ports
    service.stop()


@pytest.fixture
def receiving(everything: tuple[ServiceProcess, dict[str, int]], request: pytest.FixtureRequest) -> Receiving:
    """The service, as one test sees it: messages begin with a word of the test's name, in letters alone."""
    letters = re.sub(r"\d", lambda digit: chr(ord("a") + int(digit[0])), request.node.name)
    return Receiving(*everything, word="".join(filter(str.isalpha, letters)).removeprefix("test")[-40:])
