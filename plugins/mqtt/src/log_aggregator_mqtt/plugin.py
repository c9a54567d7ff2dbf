"""The plugin: a subscription to topics of a broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import ConfigError, Record, Reject, Service, hookimpl
from log_aggregator.receivers import ingest_when_possible
from log_aggregator_mqtt.broker import Place, Session, connected
from log_aggregator_mqtt.records import records_of

AT_ONCE = 500
"""Messages that are submitted together."""


class MqttConfig(BaseModel):
    """Options of the MQTT receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="broker, such as mqtt://192.0.2.10:1883; mqtts:// is encrypted")
    topics: tuple[str, ...] = Field(min_length=1, description="topics, such as ['logs/#', 'tele/+/LOGGING']")
    username: str | None = Field(None, description="name at the broker; else that of the url")
    password: str | None = Field(None, description="password at the broker; { env = 'MQTT_PASSWORD' } keeps it out")
    client_id: str | None = Field(None, description="name of the session at the broker; else one of this installation")


class MqttReceiver:
    """Receives with QoS 1: a message is acknowledged once its logs are durable.

    After a crash the broker sends again what was not acknowledged: MQTT has no id by which that could be told from a
    second equal message, so such logs can be counted twice.
    """

    Config = MqttConfig
    api = ">=1,<2"
    instances = "cluster"

    def __init__(self, config: MqttConfig) -> None:
        parts = urlsplit(config.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigError(
                f"url: {parts.scheme or 'nothing'}://…; expected an address such as mqtt://192.0.2.10:1883"
            )
        self._config = config
        self._parts = parts
        self._session: Session | None = None
        self._refused = 0

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Subscribe when logs may be accepted."""

        async def receive() -> None:
            async with connected(self._place(service), self._config.topics) as self._session:
                while True:
                    await self._take_in(service, self._session)

        service.run("subscription", receive)
        service.add_health_check("mqtt", self._problem)
        service.add_stats("mqtt", self.stats)
        yield

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows: where logs come from, those that could not be read, and messages with QoS 0 for which
        there was no room."""
        return {
            "reads": [f"{self._parts.hostname} {topic}" for topic in self._config.topics],
            "refused": self._refused,
            "dropped": self._session.dropped if self._session else 0,
        }

    async def _problem(self) -> str | None:
        return (self._session.problem or None) if self._session else "not connected yet"

    async def _take_in(self, service: Service, session: Session) -> None:
        messages = await session.next(AT_ONCE)
        records: list[Record] = []
        for message in messages:
            found, refused = records_of(message.topic, message.payload)
            records += found
            self._refused += refused
        if records:
            try:
                await ingest_when_possible(service, records)
            except Reject:  # a guard refuses them for good: the broker must not send them for ever
                self._refused += len(records)
        for message in messages:
            message.done()

    def _place(self, service: Service) -> Place:
        parts, config = self._parts, self._config
        return Place(
            host=parts.hostname or "",
            port=parts.port or (8883 if parts.scheme == "mqtts" else 1883),
            is_encrypted=parts.scheme == "mqtts",
            client=config.client_id or f"log-aggregator-{service.instance}",
            username=config.username or (unquote(parts.username) if parts.username else None),
            password=config.password or (unquote(parts.password) if parts.password else None),
        )
