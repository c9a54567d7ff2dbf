"""Messages of a stream of JetStream, from a position on.

The position is the place in the stream, and is written in the transaction that writes the records. A consumer of the
server is made anew at each start and begins behind it: its acknowledgements only keep the server from sending again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from log_aggregator import RetryableError
from log_aggregator_nats.server import Message

WAIT = 5.0
"""Seconds that one question for messages lasts."""

ACKNOWLEDGE_WITHIN = 60.0
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
        self._taken: list[Msg] = []
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
        self._consumer = await self._context.pull_subscribe(
            self._subject,
            stream=self._stream,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._last + 1,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACKNOWLEDGE_WITHIN,
                inactive_threshold=IDLE,
            ),
        )

    async def next(self, most: int) -> list[Message]:
        """Messages behind the last ones; none when none came for a while."""
        assert self._consumer is not None
        try:
            self._taken = await self._consumer.fetch(most, timeout=WAIT)
        except nats.errors.TimeoutError:
            self._taken = []
        new = []
        for message in self._taken:
            sequence = message.metadata.sequence.stream
            if sequence > self._last:  # else it came again, because its acknowledgement was late
                self._last = sequence
                new.append(Message(message.subject, message.data))
        return new

    async def acknowledge(self) -> None:
        """Tell the server that it need not send the last messages again."""
        taken, self._taken = self._taken, []
        for message in taken:
            await message.ack()

    async def end(self) -> None:
        """Let the server forget the consumer."""
        if self._consumer is not None:
            with suppress(nats.errors.Error):
                await self._consumer.unsubscribe()


@asynccontextmanager
async def stream_of(client: Client, stream: str, subject: str) -> AsyncIterator[Stream]:
    """A subject of a stream, until the block is left."""
    found = Stream(client.jetstream(timeout=WAIT), stream, subject)
    try:
        yield found
    finally:
        await found.end()
