"""The other members of a shared journal: what they answer about themselves, asked through the journal's servers."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from typing import Any

from log_aggregator.http.backend import HealthReport
from log_aggregator.journal import JournalError, SharedJournal
from log_aggregator.service.node import Node
from log_aggregator.service.workers.merging import merge_flushes

FLUSH_AGAIN = 0.1
"""Seconds after which the members are asked again to seal what is not sealed yet."""

ASK_TIMEOUT = 3.0
"""Seconds that a member has to answer a question about itself."""


class OtherMembers:
    """One that is gone or stands still does not answer and is left out."""

    def __init__(self, journal: SharedJournal) -> None:
        self._journal = journal

    def answering(self, node: Node) -> AbstractAsyncContextManager[None]:
        """Answer for this member while inside the block."""

        async def answer(question: str, argument: bytes) -> bytes:
            told: Any = None
            if question == "stats":
                told = node.stats()
            elif question == "health":
                report = await node.health()
                told = [report.status, report.accepting, report.checks]
            elif question == "flush":
                told = await node.flush(float(argument))
            return json.dumps(told).encode()

        return self._journal.answer(answer)

    async def stats(self) -> list[dict[str, Any]]:
        """The stats of each."""
        return await self._ask("stats")

    async def health(self) -> list[HealthReport]:
        """The health of each."""
        return [HealthReport(*told) for told in await self._ask("health")]

    async def flush(self, deadline: float) -> list[dict[str, Any]]:
        """Let each seal and wait for its sinks."""
        return await self._ask("flush", f"{deadline}".encode(), 2 * deadline + ASK_TIMEOUT)

    async def flush_all(self, node: Node, deadline: float) -> dict[str, Any]:
        """Let all members seal until the journal says that what it held at this call is sealed, whoever owns it.

        A member that does not answer, or a partition that nobody has yet, makes the answer wait. `sealed` is false when
        `deadline` seconds did not suffice.
        """
        loop, groups = asyncio.get_running_loop(), 0
        end = loop.time() + deadline
        newest = await self._newest()
        while True:
            left = max(0.0, end - loop.time())
            mine, others = await asyncio.gather(node.flush(left), self.flush(left))
            answer = merge_flushes([mine, *others])
            groups += answer["groups"]
            sealed = newest is not None and await self._is_sealed(newest)
            if sealed or loop.time() >= end:
                return answer | {"groups": groups, "sealed": sealed}
            await asyncio.sleep(FLUSH_AGAIN)

    async def _newest(self) -> dict[str, int] | None:
        """The position of the newest row of each partition; `None` when the journal does not say it."""
        names = self._journal.partition_names
        try:
            return dict(zip(names, [await self._journal.partition_of(name).newest() for name in names], strict=True))
        except JournalError:
            return None

    async def _is_sealed(self, newest: dict[str, int]) -> bool:
        """Whether the flushes of each partition cover it up to these positions."""
        try:
            stands = [(await self._journal.partition_of(name).stand(), position) for name, position in newest.items()]
        except JournalError:
            return False
        return all(stand.upto >= position for stand, position in stands)

    async def _ask(self, question: str, argument: bytes = b"", deadline: float = ASK_TIMEOUT) -> list[Any]:
        answers = [json.loads(one) for one in await self._journal.ask_others(question, argument, deadline)]
        return [one for one in answers if one is not None]
