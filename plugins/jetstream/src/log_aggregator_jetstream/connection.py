"""The connection to the servers, and requests that are repeated until they are answered or patience ends."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NotFoundError
from nats.js.errors import Error as JetStreamError

from log_aggregator import ConfigError
from log_aggregator.journals import JournalError
from log_aggregator_jetstream.config import JetstreamConfig

Result = TypeVar("Result")

ATTEMPT = 2.5
"""Seconds after which a request is sent again: longer than an election takes as a rule."""

WRONG_LAST_SEQUENCE = (10071, 10164)
"""Error codes of the server: another message was written since."""

IN_PROCESS = 10158
"""Error code: a message with this id is being written, its outcome comes soon."""

_FULL = (10077, 10047)
"""Error codes: `max_bytes` of the stream or the room of the servers is used up, and `discard` is new."""


class Stored(NamedTuple):
    """A message of a stream."""

    sequence: int
    subject: str
    headers: dict[str, str]
    body: bytes
    at: float = 0.0
    """When it was stored, in seconds; 0 where only `following` read it."""


class Connection:
    """A connection that is made again by itself, and what is asked through it."""

    def __init__(self, client: Client, patience: float) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream(timeout=ATTEMPT)
        self.patience = patience

    async def publish(self, subject: str, body: bytes, headers: dict[str, str]) -> PubAck:
        """Write a message under its id, again until it is acknowledged.

        Raises `JournalError` when the outcome is not known within the patience, or when there is no room, and
        `APIError` for what the server refuses.
        """
        return await self.patiently(lambda: self.js.publish(subject, body, headers={**headers}), "cannot be written")

    async def patiently(self, ask: Callable[[], Awaitable[Result]], what: str) -> Result:
        """Ask until there is an answer. Raises `JournalError` after a while, `APIError` for what is refused."""
        problem = ""
        try:
            async with asyncio.timeout(self.patience):
                while True:
                    try:
                        answer = await ask()
                        _raise_cancellation()
                        return answer
                    except NotFoundError:
                        raise
                    except APIError as error:
                        if error.err_code in _FULL:
                            raise JournalError(f"the journal is full: {error.description}") from error
                        if error.err_code != IN_PROCESS and (error.code or 500) < 500:
                            raise
                        problem = f"{type(error).__name__} {error.err_code}"
                    except (nats.errors.Error, JetStreamError, OSError, json.JSONDecodeError) as error:
                        problem = type(error).__name__
                    _raise_cancellation()
                    await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311  jitter, not a secret
        except TimeoutError:
            raise JournalError(f"the journal {what}: {problem or 'no answer'}") from None

    async def message(self, stream: str, sequence: int) -> Stored | None:
        """One message, as the stream's leader has it; `None` when it is not there."""

        async def get() -> Any:
            return await self.js.get_msg(stream, seq=sequence)

        return await self._found(get)

    async def last(self, stream: str, subject: str) -> Stored | None:
        """The newest message of a subject, as the stream's leader has it."""

        async def get() -> Any:
            return await self.js.get_last_msg(stream, subject)

        return await self._found(get)

    async def _found(self, get: Callable[[], Awaitable[Any]]) -> Stored | None:
        try:
            found = await self.patiently(get, "cannot be read")
        except NotFoundError:
            return None
        return Stored(
            found.seq or 0, found.subject or "", dict(found.headers or {}), found.data or b"", _seconds(found)
        )

    async def following(self, stream: str, after: int, most: int, most_bytes: int) -> list[Stored]:
        """The messages behind a sequence that the stream holds now, in order, about so many bytes at most.

        Any replica answers; the caller checks that none is missing. Raises `JournalError`.
        """

        async def read() -> list[Stored]:
            inbox = self.client.new_inbox()
            answers = await self.client.subscribe(inbox)
            try:
                wanted = {"seq": after + 1, "batch": most, "max_bytes": most_bytes}
                await self.client.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(wanted).encode(), reply=inbox)
                found: list[Stored] = []
                while (one := _stored(await answers.next_msg(timeout=ATTEMPT))) is not None:
                    found.append(one)
                return found
            finally:
                await answers.unsubscribe()

        return await self.patiently(read, "cannot be read")


def _raise_cancellation() -> None:
    """Raise a cancellation that `asyncio.wait_for` of Python 3.11 swallowed, as the answer came at that moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _seconds(found: Any) -> float:
    return 0.0 if found.time is None else float(found.time.timestamp())


def _stored(message: Msg) -> Stored | None:
    """A message of an answer; `None` at its end."""
    headers = message.headers or {}
    status = headers.get("Status")
    if status in ("204", "404"):
        return None
    if status is not None:
        raise nats.errors.NoRespondersError
    return Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], headers, message.data)


@asynccontextmanager
async def connected(config: JetstreamConfig) -> AsyncIterator[Connection]:
    """A connection to one of the servers; another one takes its place when it is lost. Raises `ConfigError`."""

    async def quiet(_: Exception) -> None:
        """What fails is said where somebody waits for it."""

    try:
        async with asyncio.timeout(config.patience):
            client = await nats.connect(
                list(config.servers),
                name=f"log-aggregator {config.member}",
                error_cb=quiet,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.2,
                ping_interval=2,
                max_outstanding_pings=2,
                connect_timeout=3,
                pending_size=64 * 1024 * 1024,
                tls=_tls(config),
                **config.login(),
            )
    except (nats.errors.Error, OSError, TimeoutError) as error:
        hosts = ", ".join(config.servers)
        raise ConfigError(f"servers: no connection to {hosts}: {type(error).__name__}: {error}") from error
    try:
        yield Connection(client, config.patience)
    finally:
        await client.close()


def _tls(config: JetstreamConfig) -> ssl.SSLContext | None:
    if config.tls_ca is None and config.tls_cert is None and not any(url.startswith("tls:") for url in config.servers):
        return None
    try:
        context = ssl.create_default_context(cafile=None if config.tls_ca is None else str(config.tls_ca))
        if config.tls_cert is not None:
            context.load_cert_chain(config.tls_cert, config.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"tls_ca, tls_cert, tls_key: cannot be read: {error}") from error
    return context
