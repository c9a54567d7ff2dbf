"""One session with a broker: what it sends, acknowledged only when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

WAITING = 1000
"""Messages that are on their way: the broker sends no more until some are acknowledged."""

SESSION = 7 * 24 * 3600
"""Seconds for which the broker keeps what comes while nobody is connected."""

LONGEST_PAUSE = 2
"""Seconds between two attempts to connect: what is published without acknowledgements meanwhile is lost."""


class Place(NamedTuple):
    """Where the broker is and who connects."""

    host: str
    port: int
    is_encrypted: bool
    client: str
    username: str | None
    password: str | None


class Message(NamedTuple):
    """One message; `done` acknowledges it."""

    topic: str
    payload: bytes
    done: Callable[[], object]


class Session:
    """The messages that have come, in order. `problem` says why there is no connection; `dropped` counts losses."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()
        self._open: set[int] = set()
        self.problem = "not connected yet"
        self.dropped = 0

    async def next(self, most: int) -> list[Message]:
        """At least one message, and at most so many of those that are here."""
        messages = [await self._waiting.get()]
        while len(messages) < most and not self._waiting.empty():
            messages.append(self._waiting.get_nowait())
        return messages

    def put(self, message: Message, qos: int, number: int = 0, *, is_repeated: bool = False) -> None:
        """Keep a message. Of those with acknowledgements the broker sends only so many; others can be too many.

        `number` is that of the broker. With `is_repeated` it was sent before: over a new connection the broker sends
        again what is not acknowledged, and that may still be waiting here.
        """
        if qos == 0:
            if self._waiting.qsize() >= WAITING:
                self.dropped += 1
                return
        elif is_repeated and number in self._open:
            return
        else:
            self._open.add(number)
        self._waiting.put_nowait(message)

    def acknowledged(self, number: int) -> None:
        """Forget the number of a message: the next message that has it is another one."""
        self._open.discard(number)


@asynccontextmanager
async def connected(place: Place, topics: tuple[str, ...]) -> AsyncIterator[Session]:
    """Subscribe to topics, and connect again whenever the connection breaks, until the block is left."""
    loop = asyncio.get_running_loop()
    session = Session()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, place.client, protocol=mqtt.MQTTv5, manual_ack=True)
    if place.username is not None:
        client.username_pw_set(place.username, place.password)
    if place.is_encrypted:
        client.tls_set()
    client.reconnect_delay_set(1, LONGEST_PAUSE)

    # The callbacks run in the client's thread.
    def on_connect(connection: mqtt.Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        session.problem = f"the broker refuses the connection: {reason}" if reason.is_failure else ""
        if not reason.is_failure:
            connection.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])

    def on_disconnect(_: mqtt.Client, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        session.problem = f"no connection to the broker: {reason}"

    def on_message(connection: mqtt.Client, _: Any, sent: mqtt.MQTTMessage) -> None:
        def done() -> None:
            session.acknowledged(sent.mid)
            connection.ack(sent.mid, sent.qos)

        message = Message(sent.topic, bytes(sent.payload), done)
        put = partial(session.put, message, sent.qos, sent.mid, is_repeated=sent.dup)
        loop.call_soon_threadsafe(put)

    client.on_connect, client.on_disconnect, client.on_message = on_connect, on_disconnect, on_message
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho types part of itself
    properties.SessionExpiryInterval = SESSION
    properties.ReceiveMaximum = WAITING
    client.connect_async(place.host, place.port, keepalive=30, clean_start=False, properties=properties)
    client.loop_start()
    try:
        yield session
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
