"""Questions between members, over subjects that no stream keeps: one that is gone does not answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import nats.errors
from nats.aio.msg import Msg

from log_aggregator_jetstream.connection import Connection

log = logging.getLogger(__name__)


class _Question(msgspec.Struct, array_like=True):
    question: str
    argument: bytes


@asynccontextmanager
async def answering(
    connection: Connection, subject: str, answer: Callable[[str, bytes], Awaitable[bytes]]
) -> AsyncIterator[None]:
    """Answer questions on a subject, several at once, until the block is left."""
    tasks: set[asyncio.Task[None]] = set()

    async def reply(message: Msg) -> None:
        try:
            asked = msgspec.msgpack.decode(message.data, type=_Question)
            await message.respond(await answer(asked.question, asked.argument))
        except Exception as error:  # noqa: BLE001  who asks goes on without this answer
            log.warning("another member could not be answered", extra={"error": type(error).__name__})

    async def asked(message: Msg) -> None:
        task = asyncio.create_task(reply(message), name="answer a member")
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    subscription = await connection.client.subscribe(subject, cb=asked)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with suppress(nats.errors.Error):
            await subscription.unsubscribe()


async def ask_each(
    connection: Connection, subjects: list[str], question: str, argument: bytes, deadline: float
) -> list[bytes]:
    """The answers of those that answer within the deadline."""
    payload = msgspec.msgpack.encode(_Question(question, argument))

    async def ask(subject: str) -> bytes | None:
        try:
            return bytes((await connection.client.request(subject, payload, timeout=deadline)).data)
        except nats.errors.Error:
            return None

    answers = await asyncio.gather(*(ask(subject) for subject in subjects))
    return [answer for answer in answers if answer is not None]
