"""SIGKILL at random moments under load from clients of other protocols, which send the same bytes again.

What was acknowledged is counted, and what was sent again is counted once.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.faults.crashing import Client, Ready, counted, differences, load_and_kill, shows
from tests.support.service import ServiceProcess

PIPELINE = "".join(
    f"[plugins.{name}]\n" for name in ("sqlite", "otlp", "loki", "elasticsearch", "splunk-hec", "datadog", "journald")
)
ENVIRON = {"AGGREGATION_WINDOW": "0.05"}
MUTANTS = Path(__file__).parent / "mutants"
MICROS = time.time_ns() // 1000 - 3_600_000_000

Start = Callable[..., ServiceProcess]
Encode = Callable[[list[tuple[int, str]], str], bytes]


class ProtocolClient(Client):
    """Sends logs in the form of one protocol; `encode` makes a body of (microseconds, message) and the source."""

    def __init__(self, source: str, path: str, encode: Encode, **headers: str) -> None:
        super().__init__(source, keyed=True)
        self._path, self._encode, self._headers = path, encode, headers
        self._sent: list[tuple[int, str]] = []

    def _new_batch(self) -> tuple[str, list[dict[str, Any]]]:
        numbers = [next(self.numbers) for _ in range(random.choice((1, 7, 20)))]
        return "", [{"at": MICROS + number, "message": f"Worker {number % 50} is done"} for number in numbers]

    async def _send(self, session: aiohttp.ClientSession, url: str, key: str, batch: list[dict[str, Any]]) -> bool:
        body = self._encode([(log["at"], log["message"]) for log in batch], self.source)
        try:
            async with session.post(url + self._path, data=body, headers=self._headers) as answer:
                text = await answer.text()
                if answer.status == 503:
                    raise ConnectionError("not now")
                assert answer.status in (200, 202, 204), text
                assert "error" not in text.replace('"errors":false', ""), text
        except (aiohttp.ClientError, ConnectionError, TimeoutError, asyncio.CancelledError) as error:
            self.pending.append((key, batch))
            if isinstance(error, asyncio.CancelledError):
                raise
            return False
        self.acknowledged += len(batch)
        return True


def otlp(logs: list[tuple[int, str]], source: str) -> bytes:
    request = ExportLogsServiceRequest()
    block = request.resource_logs.add()
    block.resource.attributes.add(key="service.name").value.string_value = source
    scope = block.scope_logs.add()
    for at, message in logs:
        scope.log_records.add(time_unix_nano=at * 1000).body.string_value = message
    return request.SerializeToString()


def loki(logs: list[tuple[int, str]], source: str) -> bytes:
    values = [[str(at * 1000), message] for at, message in logs]
    return json.dumps({"streams": [{"stream": {"app": source}, "values": values}]}).encode()


def bulk(logs: list[tuple[int, str]], source: str) -> bytes:
    documents = [{"message": message, "service": {"name": source}, "@timestamp": at} for at, message in logs]
    return b"".join(b'{"create":{}}\n' + json.dumps(one).encode() + b"\n" for one in documents)


def hec(logs: list[tuple[int, str]], source: str) -> bytes:
    return "".join(json.dumps({"event": m, "time": at / 1e6, "source": source}) for at, m in logs).encode()


def datadog(logs: list[tuple[int, str]], source: str) -> bytes:
    return json.dumps([{"message": m, "timestamp": at, "service": source} for at, m in logs]).encode()


def journald(logs: list[tuple[int, str]], source: str) -> bytes:
    """Cursors that only grow, as a client of one journal sends them."""
    return b"".join(
        f"__CURSOR=s={source.encode().hex()};i={at:x}\n__REALTIME_TIMESTAMP={at}\nSYSLOG_IDENTIFIER={source}\n".encode()
        + b"MESSAGE\n" + struct.pack("<Q", len(message)) + message.encode() + b"\n\n"
        for at, message in logs
    )  # fmt: skip


def make_clients() -> list[Client]:
    return [
        ProtocolClient("otlp", "/v1/logs", otlp),
        ProtocolClient("loki", "/loki/api/v1/push", loki),
        ProtocolClient("bulk", "/elasticsearch/_bulk", bulk),
        ProtocolClient("hec", "/services/collector", hec, Authorization="Splunk x"),
        ProtocolClient("datadog", "/api/v2/logs", datadog),
        ProtocolClient("journald", "/upload", journald),
    ]


@pytest.fixture
def killed(tmp_path: Path) -> Start:
    def make(command: list[str] | None = None) -> ServiceProcess:
        return ServiceProcess(tmp_path, PIPELINE, {**ENVIRON, "WINDOW": str(tmp_path / "window")}, command=command)

    return make


async def _crash(service: ServiceProcess, rounds: int, *ready: Ready) -> dict[str, int]:
    clients = make_clients()
    try:
        await load_and_kill(service, clients, rounds, *ready)
        assert all(client.acknowledged for client in clients)
        assert set(counted(service)) <= {client.source for client in clients}
        return differences(service, clients)
    finally:
        service.stop()


@pytest.mark.slow
async def test_what_was_acknowledged_is_counted_and_what_was_sent_again_once(killed: Start) -> None:
    assert await _crash(killed(), rounds=4) == {}


@pytest.mark.chaos
@pytest.mark.slow
async def test_many_more_kills(killed: Start) -> None:
    rounds = int(os.environ.get("CHAOS_KILLS", "0"))
    if not rounds:
        pytest.skip("long: `make chaos` runs it; the test above is its small form")
    assert await _crash(killed(), rounds) == {}


@pytest.mark.parametrize(
    ("mutant", "sign"), [("acknowledge_before_commit", -1), ("bodies_forgotten", +1)], ids=["lost", "twice"]
)
@pytest.mark.slow
async def test_the_crash_test_catches(killed: Start, tmp_path: Path, mutant: str, sign: int) -> None:
    service = killed([sys.executable, str(MUTANTS / f"{mutant}.py")])
    wrong = await _crash(service, 2, shows(tmp_path / "window", sign))
    assert wrong, f"{mutant} was not noticed: this test proves nothing"
    assert all(difference * sign > 0 for difference in wrong.values())
