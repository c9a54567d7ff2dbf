"""The connection to a NATS server, made again whenever it breaks, and plain subscriptions through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

WAITING = 10_000
"""Messages of subscriptions that wait: what comes beyond is dropped and counted, as nobody can hold the sender back."""

PAUSE = 1.0
"""Seconds between two attempts to connect: what is published without a stream meanwhile is lost."""


class Login(NamedTuple):
    """Who connects, where the url does not say it."""

    username: str | None
    password: str | None
    token: str | None


class Message(NamedTuple):
    """What was published."""

    subject: str
    payload: bytes


class Server:
    """The servers of one cluster. `problem` says why there is no connection; `dropped` counts losses."""

    def __init__(self, urls: list[str], login: Login) -> None:
        self.urls = urls
        self.login = login
        self.problem = "not connected yet"
        self.dropped = 0
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()

    async def subscribe(self, client: Client, subjects: Sequence[str]) -> None:
        """Receive what is published to these subjects from now on."""

        async def received(message: Msg) -> None:
            if self._waiting.qsize() >= WAITING:
                self.dropped += 1
            else:
                self._waiting.put_nowait(Message(message.subject, message.data))

        for subject in subjects:
            await client.subscribe(subject, cb=received)

    async def next(self, most: int) -> list[Message]:
        """At least one message, and at most so many of those that are here."""
        messages = [await self._waiting.get()]
        while len(messages) < most and not self._waiting.empty():
            messages.append(self._waiting.get_nowait())
        return messages


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Client]:
    """A connection that is made again by itself, until the block is left."""

    async def lost() -> None:
        server.problem = "no connection to the server"

    async def back() -> None:
        server.problem = ""

    async def failed(error: Exception) -> None:
        if server.problem:
            server.problem = f"no connection to the server: {type(error).__name__}"

    login: dict[str, Any] = {}
    if server.login.token is not None:
        login = {"token": server.login.token}
    elif server.login.username is not None:
        login = {"user": server.login.username, "password": server.login.password or ""}
    client = await nats.connect(
        server.urls,
        name="log-aggregator",
        disconnected_cb=lost,
        reconnected_cb=back,
        error_cb=failed,
        max_reconnect_attempts=-1,
        reconnect_time_wait=PAUSE,
        connect_timeout=5,
        **login,
    )
    server.problem = ""
    try:
        yield client
    finally:
        server.problem = "not connected"
        await client.close()
