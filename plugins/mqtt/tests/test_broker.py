"""Through a real broker: messages are logs, and those of an outage come later."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import publish

from log_aggregator import ConfigError
from log_aggregator_dev import harness
from log_aggregator_mqtt import MqttReceiver
from log_aggregator_mqtt.broker import WAITING, Message, Session

BROKER = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")

needs_broker = pytest.mark.skipif(
    BROKER is None, reason="no mosquitto here, which `.ci/run` installs: apt-get install mosquitto"
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = tmp_path / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    process = subprocess.Popen([str(BROKER), "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield port
    process.terminate()
    process.wait(10)


async def published(port: int, topic: str, payload: str) -> None:
    for _ in range(100):  # the broker may not listen yet
        try:
            await asyncio.to_thread(publish.single, topic, payload, 1, hostname="127.0.0.1", port=port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("the broker does not answer")


@needs_broker
async def test_messages_are_logs_and_those_of_an_outage_come_later(broker: int, tmp_path: Path) -> None:
    pipeline = f'[plugins.mqtt]\nurl = "mqtt://127.0.0.1:{broker}"\ntopics = ["logs/#"]\nclient_id = "test"\n'
    await published(broker, "other", "the broker is there")
    for number in range(2):
        async with harness(pipeline, data_dir=tmp_path / "data") as running:
            async with asyncio.timeout(20):
                while (await running.get("/health"))["checks"]["mqtt"]["ok"] is False:
                    await asyncio.sleep(0.02)
                if not number:
                    await published(broker, "logs/shop", "first")
                while not (counts := await running.counts()):
                    await asyncio.sleep(0.02)
            assert counts == ({"second": 1} if number else {"first": 1}), "acknowledged ones do not come again"
            assert [one.source for one in await running.aggregates()] == ["shop"]
        await published(broker, "logs/shop", "second")


def test_an_address_of_another_kind_is_named() -> None:
    with pytest.raises(ConfigError, match=r"url: http://…; expected an address such as mqtt://"):
        MqttReceiver(MqttReceiver.Config(url="http://localhost", topics=("a",)))


async def test_a_flood_without_acknowledgements_never_costs_a_message_that_has_one() -> None:
    session = Session()
    for number in range(WAITING + 10):
        session.put(Message("t", b"%d" % number, lambda: None), 0)
    session.put(Message("t", b"acknowledged", lambda: None), 1)
    assert session.dropped == 10
    assert (await session.next(WAITING + 1))[-1].payload == b"acknowledged"


async def test_a_message_that_still_waits_is_not_taken_again_when_the_broker_repeats_it() -> None:
    session = Session()
    session.put(Message("t", b"one", lambda: session.acknowledged(7)), 1, 7)
    session.put(Message("t", b"one", lambda: None), 1, 7, is_repeated=True)
    (message,) = await session.next(10)
    message.done()
    session.put(Message("t", b"another", lambda: None), 1, 7, is_repeated=True)  # sent before, to an earlier process
    assert [message.payload for message in await session.next(10)] == [b"another"]
