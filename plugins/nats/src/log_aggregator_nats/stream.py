"""Messages of a stream of JetStream, from a position on.

The position is the sequence number in the stream, and is written in the transaction that writes the records. The
server's consumer is made anew at each start and begins behind the position. It asks for no acknowledgements: a message
that was lost on the way leaves a gap in the consumer's own numbers, and is then read again from the stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from log_aggregator import RetryableError
from log_aggregator_nats.server import Message

WAIT = 5.0
"""Seconds that one question for messages lasts."""

IDLE = 300.0
"""Seconds after which the server forgets a consumer that nobody asks."""


class Stream:
    """One subject of a stream. `name` and `position` are those for `service.ingest`."""

    def __init__(self, context: JetStreamContext, stream: str, subject: str) -> None:
        self._context = context
        self._stream = stream
        self._subject = subject
        self._made = ""
        self._last = 0
        self._delivered = 0
        self._consumer: JetStreamContext.PullSubscription | None = None
        self.name = f"{stream} {subject}"

    @property
    def position(self) -> bytes:
        """Where the stream stands behind the messages that `next` gave last."""
        return f"{self._last} {self._made}".encode()

    async def begin(self, position: bytes | None) -> None:
        """Begin behind a position; one of an earlier stream of this name does not count.

        Raises `RetryableError` while there is no such stream.
        """
        try:
            info = await self._context.stream_info(self._stream)
        except NotFoundError:
            raise RetryableError(f"there is no stream {self._stream!r}", retry_after=2.0) from None
        self._made = str(info.created)
        last, _, made = (position or b"0").decode().partition(" ")
        self._last = int(last) if made == self._made else 0
        self._delivered = 0
        self._consumer = await self._context.pull_subscribe(
            self._subject,
            stream=self._stream,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._last + 1,
                ack_policy=AckPolicy.NONE,
                inactive_threshold=IDLE,
            ),
        )

    async def next(self, most: int) -> list[Message]:
        """Messages behind the last ones; none when none came for a while.

        The last ones must be durable: after a gap the stream is read again from behind them.
        """
        assert self._consumer is not None
        try:
            fetched = await self._consumer.fetch(most, timeout=WAIT)
        except nats.errors.TimeoutError:
            if await self._is_forgotten():
                await self.begin(self.position)
            return []
        new = []
        for message in fetched:
            sequence = message.metadata.sequence
            if sequence.consumer != self._delivered + 1:
                await self.end()
                await self.begin(self.position)
                break
            self._delivered = sequence.consumer
            self._last = sequence.stream
            new.append(Message(message.subject, message.data))
        return new

    async def _is_forgotten(self) -> bool:
        """Whether the server has no consumer for us any more: it deletes one that was not asked for `IDLE` seconds."""
        assert self._consumer is not None
        try:
            await self._consumer.consumer_info()
        except NotFoundError:
            return True
        except nats.errors.TimeoutError:  # not connected: it is asked again
            pass
        return False

    async def end(self) -> None:
        """Let the server forget the consumer."""
        if self._consumer is not None:
            with suppress(nats.errors.Error):
                await self._consumer.unsubscribe()


@asynccontextmanager
async def stream_of(client: Client, stream: str, subject: str) -> AsyncIterator[Stream]:
    """Read a subject of a stream; reading ends when the block is left."""
    found = Stream(client.jetstream(timeout=WAIT), stream, subject)
    try:
        yield found
    finally:
        await found.end()
