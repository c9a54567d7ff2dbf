"""Services that send aggregates to each other, what they hold, and logs for them."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from log_aggregator.model.aggregate import Key
from log_aggregator.sinks import Aggregate
from log_aggregator.storekit import stored_aggregate
from log_aggregator_dev.harness import Harness
from log_aggregator_sqlite.deflating import inflated

DEADLINE = 60.0
NOON = 1_800_000_000_000_000 - 400 * 86_400 * 1_000_000
"""Microseconds; a moment at which a bucket begins, some time ago."""

HUB = "[plugins.redact]\n\n[plugins.patterns]\n\n[plugins.sqlite]\n\n[plugins.edges]\naccept = true\n"
ALONE = "[plugins.redact]\n\n[plugins.patterns]\n\n[plugins.sqlite]\n"

_ROWS = """
SELECT bucket / 1000000, pattern_id, level, source, grouped_by, message_pattern, count, first_seen, last_seen, metadata,
       sample_messages, latest_sample, categories, tags, minutes, variables, sample_details
FROM aggregated_logs"""


def edge(url: str, *, window: float = 0.1, accept: bool = False, **options: Any) -> str:
    """The pipeline of a service that sends its aggregates to `url`."""
    more = "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
    taking = "\n[plugins.edges]\naccept = true\n" if accept else ""
    stages = "[plugins.redact]\n\n[plugins.patterns]\n\n"
    return f'{stages}[plugins.upstream]\nurl = "{url}"\nwindow = {window}\n{more}{taking}'


def made_logs(count: int, seed: int, source: str = "shop") -> list[dict[str, Any]]:
    """Logs of a few patterns over a quarter of an hour, with numbers, texts and a secret in their metadata."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        user, took = draw.randrange(12), draw.choice([3, 17.5, 250, 4000])
        message, level = draw.choice(
            [
                (f"User {user} logged in from 10.0.0.{user}", "INFO"),
                (f"request {draw.randrange(9)} took {took} ms", "WARN"),
                (f"Payment {draw.randrange(5)} failed: card declined", "ERROR"),
            ]
        )
        metadata = {"took": f"{took}ms", "region": draw.choice("ab"), "password": "hunter22", "n": user}
        when = NOON + draw.randrange(900) * 1_000_000 + draw.randrange(1_000_000)
        found.append(
            {"message": message, "level": level, "source": source, "timestamp": when / 1_000_000, "metadata": metadata}
        )
    return found


async def send(service: Harness, logs: list[dict[str, Any]], at_once: int = 50) -> None:
    """Send logs in batches, all of which are accepted."""
    for start in range(0, len(logs), at_once):
        some = logs[start : start + at_once]
        answer = await service.request("POST", "/ingest/batch", json={"logs": some})
        assert (answer.status, answer.body["accepted"]) == (202, len(some)), answer


def held(data_dir: Path) -> dict[Key, Aggregate]:
    """The rows of a service's SQLite store."""
    with closing(sqlite3.connect(f"file:{data_dir / 'logs.sqlite3'}?mode=ro", uri=True)) as connection:
        return {
            Key(*row[:5]): stored_aggregate(Key(*row[:5]), *map(inflated, row[5:])) for row in connection.execute(_ROWS)
        }


async def counted(service: Harness) -> int:
    """The logs that a service's store counts, all that it has acknowledged included."""
    await service.flush()
    return sum(row.count for row in held(service.service.settings.data_dir).values())


async def eventually(found: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Ask until the answer is `wanted`; fail with the last answer at the deadline."""
    until = asyncio.get_running_loop().time() + DEADLINE
    while (answer := await found()) != wanted:
        assert asyncio.get_running_loop().time() < until, f"{answer} instead of {wanted}"
        await asyncio.sleep(0.02)
