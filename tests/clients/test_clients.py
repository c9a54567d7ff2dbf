"""Logs of other projects' clients arrive as they were sent: counts, levels, source, metadata, time, stack trace."""

from __future__ import annotations

import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.receiving import BROKER, DEADLINE, NATS, Receiving

pytestmark = pytest.mark.clients

ORDERS = 5
EXTRA = {"region": "eu-1", "attempt": "3"}
LEVELS = {"opened": "DEBUG", "paid": "INFO", "late": "WARN", "lost": "ERROR", "doubled": "CRITICAL"}
LOGS = ORDERS * len(LEVELS) + 1
UPLOAD = Path("/lib/systemd/systemd-journal-upload")


class Client(NamedTuple):
    """A program of `programs/`, and what it can say about a log beside its level and source."""

    program: str
    metadata: dict[str, str] = EXTRA
    time: bool = True
    """Whether a log carries the time that it was given; otherwise its time is that of sending."""
    levels: dict[str, str] = LEVELS
    needs: bool = True
    """Whether the programs that it needs are installed."""
    repeated: int = 0
    """How many logs it sends a second time, as after a lost answer."""

    @property
    def command(self) -> list[str]:
        return self.program.split()


HERE = {"facility": "local3"}
CLIENTS = [
    Client("otlp_sdk", EXTRA | {"scope": "shop"}, levels=LEVELS | {"doubled": "FATAL"}),
    Client("loki_python_logging_loki", EXTRA | {"logger": "shop"}, time=False),
    Client("loki_logger_handler_json", EXTRA | {"module": "story"}),
    Client("elasticsearch_bulk"),
    Client("elasticsearch_helpers streaming"),
    Client("elasticsearch_helpers parallel"),
    Client("splunk_hec", EXTRA | {"index": "main", "sourcetype": "text"}),
    Client("datadog_submit_log", EXTRA | {"ddsource": "python"}),
    Client("gelf_pygelf udp", EXTRA | {"app_name": "x"}),
    Client("gelf_pygelf tcp", EXTRA | {"app_name": "x"}),
    Client("gelf_pygelf http", EXTRA | {"app_name": "x"}),
    Client("gelf_graypy udp", EXTRA | {"process_name": "MainProcess"}),
    Client("gelf_graypy tcp", EXTRA | {"process_name": "MainProcess"}),
    Client("gelf_graypy http", EXTRA | {"process_name": "MainProcess"}),
    Client("forward_fluent_logger"),
    Client("forward_chunk"),
    Client("syslog_stdlib udp", HERE | {"procid": "123"}, time=False),
    Client("syslog_stdlib tcp", HERE | {"procid": "123"}, time=False),
    Client("syslog_rfc5424 udp"),
    Client("syslog_rfc5424 tcp"),
    Client("syslog_logger udp rfc5424", EXTRA | HERE, time=False, needs=shutil.which("logger") is not None),
    Client("syslog_logger tcp rfc5424", EXTRA | HERE, time=False, needs=shutil.which("logger") is not None),
    Client("syslog_logger udp rfc3164", HERE, time=False, needs=shutil.which("logger") is not None),
    Client("syslog_logger tcp rfc3164", HERE, time=False, needs=shutil.which("logger") is not None),
    Client("lines_stdlib tcp"),
    Client("lines_stdlib udp"),
    Client("firehose_delivery", repeated=LOGS),
    Client("logplex_drain", {"procid": "web.1"}, repeated=LOGS),
    Client("journald_upload 1", needs=UPLOAD.exists()),
    Client("mqtt_paho", EXTRA | {"topic": "logs/shop"}, needs=BROKER is not None),
    Client("nats_publish", EXTRA | {"subject": "logs.shop"}, needs=NATS is not None),
]


BROKERS = {"mqtt_paho": "mqtt", "nats_publish": "nats"}
"""Programs that send to a broker, and the health check that says whether the service has subscribed there."""


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.program.replace(" ", "-"))
def test_logs_arrive_as_they_were_sent(client: Client, receiving: Receiving) -> None:
    if not client.needs:
        pytest.skip(f"{client.program}: the Debian package that it needs is not installed; .ci/run installs it")
    if client.program in BROKERS:
        wait_for_broker(receiving, BROKERS[client.program])
    started = time.time()
    receiving.run(*client.command)
    found = {one["pattern"]: one for one in receiving.patterns(LOGS)}

    (trace,) = [name for name in found if name.startswith(f"{receiving.word} charge {{ID}} failed")]
    texts = {word: f"{receiving.word} order {{ID}} {word}" for word in client.levels}
    assert found.keys() == {*texts.values(), trace}
    assert {word: (found[text]["count"], found[text]["levels"]) for word, text in texts.items()} == {
        word: (ORDERS, {level: ORDERS}) for word, level in client.levels.items()
    }
    assert (found[trace]["count"], found[trace]["levels"]) == (1, {"ERROR": 1})
    assert {source for one in found.values() for source in one["sources"]} == {"shop"}
    for one in found.values():
        assert values(one, client.metadata) == {name: {value: one["count"]} for name, value in client.metadata.items()}

    (shown,) = found[trace]["samples"]
    assert shown.startswith(f"{receiving.word} charge 17 failed\nTraceback (most recent call last):\n")
    assert shown.rstrip().endswith("ValueError: card expired")
    assert "{TRACE} ValueError at " in trace

    first, last = times(found[texts["opened"]])
    if client.time:
        assert (first, last) == pytest.approx((receiving.at, receiving.at + 20), abs=0.002)
    else:  # whole seconds in syslog of RFC 3164
        assert int(started) <= first <= last <= time.time()
    assert receiving.repeated() == client.repeated
    assert client.repeated or receiving.refusals() == {}
    if client.program == "otlp_sdk":
        (trace_id,) = found[trace]["metadata"]["trace_id"]["values"]
        assert len(trace_id["value"]) == 32
        assert values(found[texts["paid"]], {"trace_id": ""}) == {"trace_id": {trace_id["value"]: ORDERS}}


def values(pattern: dict[str, Any], names: dict[str, str]) -> dict[str, dict[str, int]]:
    """The values of metadata, and how often each came."""
    told = pattern["metadata"]
    return {name: {one["value"]: one["count"] for one in told.get(name, {"values": []})["values"]} for name in names}


def times(pattern: dict[str, Any]) -> tuple[float, float]:
    """Seconds of the first and the last log."""
    return (
        datetime.fromisoformat(pattern["first_seen"]).timestamp(),
        datetime.fromisoformat(pattern["last_seen"]).timestamp(),
    )


def wait_for_broker(receiving: Receiving, check: str) -> None:
    """Until the service has subscribed: what is published before has no subscriber."""
    until = time.monotonic() + DEADLINE
    while not receiving.service.get("/health")["checks"][check]["ok"]:
        assert time.monotonic() < until, "the service does not reach the broker"
        time.sleep(0.02)
