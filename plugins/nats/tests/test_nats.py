"""Through a real server: subjects, and a stream that is counted exactly once."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest

from log_aggregator import ConfigError
from log_aggregator_dev import Harness, harness
from log_aggregator_nats import NatsReceiver
from log_aggregator_nats import stream as stream_module
from log_aggregator_nats.stream import stream_of

PROGRAM = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin")

needs_server = pytest.mark.skipif(
    PROGRAM is None, reason="no nats-server here, which `.ci/run` installs: apt-get install nats-server"
)


class Nats:
    """A server that can be stopped and started again."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [str(PROGRAM), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(directory)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)

    async def publish(self, *messages: tuple[str, str], stream: str | None = None) -> None:
        client = await nats.connect(self.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
        try:
            if stream is not None:
                await client.jetstream().add_stream(name=stream, subjects=["logs.>"])
            for subject, text in messages:
                await client.publish(subject, text.encode())
            await client.flush()
        finally:
            await client.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nats]:
    server = Nats(tmp_path / "jetstream")
    server.start()
    yield server
    server.stop()


async def healthy(running: Harness) -> None:
    async with asyncio.timeout(20):
        while not (await running.get("/health"))["checks"]["nats"]["ok"]:
            await asyncio.sleep(0.02)


async def counted(running: Harness, logs: int) -> dict[str, int]:
    async with asyncio.timeout(20):
        while sum((counts := await running.counts()).values()) < logs:
            await asyncio.sleep(0.02)
    return counts


@needs_server
async def test_messages_of_subjects_are_logs_also_after_the_server_was_away(server: Nats) -> None:
    pipeline = f'[plugins.nats]\nurl = "{server.url}"\nsubjects = ["logs.*", "other"]\n'
    async with harness(pipeline) as running:
        await healthy(running)
        log = {"message": "lost", "level": "error", "source": "till", "order": 7}
        await server.publish(("logs.shop", "one"), ("other", json.dumps(["two", log])), ("nobody", "three"))
        assert await counted(running, 3) == {"one": 1, "two": 1, "lost": 1}
        found = {one.pattern: (one.source, one.level) for one in await running.aggregates()}
        assert found == {"one": ("shop", "INFO"), "two": ("other", "INFO"), "lost": ("till", "ERROR")}

        server.stop()
        async with asyncio.timeout(20):
            while (await running.get("/health"))["checks"]["nats"]["ok"]:
                await asyncio.sleep(0.02)
        server.start()
        await healthy(running)
        await server.publish(("logs.shop", "four"))
        assert (await counted(running, 4))["four"] == 1


@needs_server
async def test_a_stream_is_counted_once_across_restarts(server: Nats, tmp_path: Path) -> None:
    pipeline = f'[plugins.nats]\nurl = "{server.url}"\nsubjects = ["logs.>"]\nstream = "LOGS"\n'
    await server.publish(("logs.shop", "one"), ("logs.shop", "two"), stream="LOGS")
    async with harness(pipeline, data_dir=tmp_path / "data") as running:
        assert await counted(running, 2) == {"one": 1, "two": 1}
    await server.publish(*[("logs.shop", "three")] * 600)
    async with harness(pipeline, data_dir=tmp_path / "data") as running:
        assert await counted(running, 600) == {"three": 600}


@needs_server
async def test_messages_that_were_lost_on_the_way_are_read_again(server: Nats) -> None:
    await server.publish(*[("logs.shop", text) for text in ("one", "two", "three")], stream="LOGS")
    client = await nats.connect(server.url)
    context = client.jetstream()
    try:
        async with stream_of(client, "LOGS", "logs.>") as stream, asyncio.timeout(20):
            await stream.begin(None)
            (consumer,) = await context.consumers_info("LOGS")
            other = await context.pull_subscribe_bind(consumer=consumer.name, stream="LOGS")
            assert len(await other.fetch(2)) == 2  # the server believes them delivered
            found: list[bytes] = []
            while len(found) < 3:
                found += [message.payload for message in await stream.next(10)]
            assert found == [b"one", b"two", b"three"]
    finally:
        await client.close()


@needs_server
async def test_a_consumer_that_the_server_forgot_is_made_again(server: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "WAIT", 0.2)
    await server.publish(("logs.shop", "one"), stream="LOGS")
    client = await nats.connect(server.url)
    context = client.jetstream()
    try:
        async with stream_of(client, "LOGS", "logs.>") as stream, asyncio.timeout(20):
            await stream.begin(None)
            assert [message.payload for message in await stream.next(10)] == [b"one"]
            (consumer,) = await context.consumers_info("LOGS")
            await context.delete_consumer("LOGS", consumer.name)
            await server.publish(("logs.shop", "two"))
            while not (messages := await stream.next(10)):
                pass
            assert [message.payload for message in messages] == [b"two"]
    finally:
        await client.close()


@pytest.mark.parametrize("url", ["http://localhost", "localhost:4222", "nats://a,mqtt://b"])
def test_an_address_of_another_kind_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="url: expected an address such as nats://"):
        NatsReceiver(NatsReceiver.Config(url=url, subjects=("a",)))
