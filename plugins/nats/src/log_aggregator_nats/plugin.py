"""The plugin: subjects of a NATS server, or a stream of its JetStream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import ConfigError, Record, Reject, Service, hookimpl
from log_aggregator.receivers import SentFields, ingest_when_possible, records_of_payload
from log_aggregator_nats.server import Login, Message, Server, connected
from log_aggregator_nats.stream import Stream, stream_of

AT_ONCE = 500
"""Messages that are submitted together."""


class NatsConfig(BaseModel):
    """Options of the NATS receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="server, such as nats://192.0.2.10:4222; tls:// is encrypted; several with commas")
    subjects: tuple[str, ...] = Field(min_length=1, description="subjects, such as ['logs.>', 'events.*.log']")
    stream: str | None = Field(None, description="stream of JetStream that holds the subjects; else nothing is kept")
    username: str | None = Field(None, description="name at the server; else that of the url")
    password: str | None = Field(None, description="password at the server; { env = 'NATS_PASSWORD' } keeps it out")
    token: str | None = Field(None, description="token at the server, in place of a name and a password")


class NatsReceiver:
    """Receives messages of subjects. From a stream each message is counted exactly once; without one, what is
    published while nobody is connected is lost."""

    Config = NatsConfig
    api = ">=1,<2"
    instances = "cluster"

    def __init__(self, config: NatsConfig) -> None:
        for url in config.url.split(","):
            if urlsplit(url.strip()).scheme not in ("nats", "tls") or not urlsplit(url.strip()).hostname:
                raise ConfigError("url: expected an address such as nats://192.0.2.10:4222")
        self._config = config
        self._server = Server(
            [url.strip() for url in config.url.split(",")], Login(config.username, config.password, config.token)
        )
        self._counts = {"messages": 0, "refused": 0}

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Subscribe when logs may be accepted."""
        config = self._config

        async def subscribed() -> None:
            async with connected(self._server) as client:
                await self._server.subscribe(client, config.subjects)
                while True:
                    await self._take_in(service, await self._server.next(AT_ONCE), None)

        async def streamed(subject: str) -> None:
            async with connected(self._server) as client, stream_of(client, config.stream or "", subject) as stream:
                await self._follow(service, stream)

        if config.stream is None:
            service.run("subscription", subscribed)
        for number, subject in enumerate(config.subjects if config.stream is not None else ()):
            service.run(f"stream-{number}", lambda subject=subject: streamed(subject))  # type: ignore[misc]  # binds it
        service.add_health_check("nats", self._problem)
        service.add_stats("nats", self.stats)
        yield

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows: where logs come from, messages, logs that could not be read, and what was dropped."""
        hosts = ",".join(str(urlsplit(url).hostname) for url in self._server.urls)
        reads = [f"{hosts} {subject}" for subject in self._config.subjects]
        return {"reads": reads, **self._counts, "dropped": self._server.dropped}

    async def _follow(self, service: Service, stream: Stream) -> None:
        """Take in a stream from the last durable position on."""
        await stream.begin(service.position(stream.name))
        while True:
            messages = await stream.next(AT_ONCE)
            if messages:
                await self._take_in(service, messages, (stream.name, stream.position))

    async def _take_in(self, service: Service, messages: list[Message], position: tuple[str, bytes] | None) -> None:
        records: list[Record] = []
        for message in messages:
            last = message.subject.rpartition(".")[2]
            defaults = SentFields(source=last, metadata={"subject": message.subject})
            found, refused = records_of_payload(message.payload, defaults)
            records += found
            self._counts["refused"] += refused
        self._counts["messages"] += len(messages)
        if not records and position is None:
            return
        try:
            await ingest_when_possible(service, records, position=position)
        except Reject:  # a guard refuses them for good: the stream goes on behind them
            self._counts["refused"] += len(records)
            await ingest_when_possible(service, [], position=position)

    async def _problem(self) -> str | None:
        return self._server.problem or None
