"""The obvious implementation: FastAPI, pydantic models, one regular expression after another, a dictionary, asyncpg.

Needs fastapi, uvicorn and httptools. Without a DSN it aggregates and stores nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

RULES = [
    (re.compile(pattern), placeholder)
    for pattern, placeholder in (
        (r'"(?:[^"\\]|\\.)*"', "{TEXT}"),
        (r"\b[a-z][a-z0-9+.-]*://[^\s,;)\]}>\"']+", "{URL}"),
        (r"\b[\w.%+-]+@[\w-]+(?:\.[\w-]+)+\b", "{EMAIL}"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", "{TIMESTAMP}"),
        (r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b", "{TIMESTAMP}"),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "{UUID}"),
        (r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", "{MAC}"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", "{IP}"),
        (r"\b0[xX][0-9a-fA-F]+\b", "{HEX}"),
        (r"(?<![\w])(?:/[\w.+@%~=-]+)+/?", "{PATH}"),
        (r"\b\d+(?:\.\d+)? ?(?:ns|us|ms|s|min|h)\b", "{TIME}"),
        (r"\b\d+(?:\.\d+)? ?(?:[KMGT]i?B|bytes)\b", "{SIZE}"),
        (r"\b\d+(?:\.\d+)?\b", "{ID}"),
    )
]
WINDOW = 30.0
SAMPLES = 5

Key = tuple[str, str, str]
buffer: dict[Key, dict[str, Any]] = {}


class Log(BaseModel):
    message: str
    level: str = "INFO"
    source: str = "unknown"
    metadata: dict[str, Any] | None = None


class Batch(BaseModel):
    logs: list[Log]


def normalize(message: str) -> str:
    for rule, placeholder in RULES:
        message = rule.sub(placeholder, message)
    return message


def add(log: Log) -> None:
    key = (normalize(log.message), log.level, log.source)
    now = datetime.now(UTC)
    group = buffer.get(key)
    if group is None:
        group = buffer[key] = {"count": 0, "first": now, "samples": [], "metadata": {}}
    group["count"] += 1
    group["last"] = now
    if len(group["samples"]) < SAMPLES:
        group["samples"].append(log.message)
    if log.metadata:
        group["metadata"].update(log.metadata)


async def flush(pool: asyncpg.Pool | None) -> None:
    global buffer
    taken, buffer = buffer, {}
    if pool is None or not taken:
        return
    rows = [
        (
            k[0],
            g["count"],
            k[1][:10],
            k[2][:100],
            g["first"],
            g["last"],
            json.dumps(g["metadata"]),
            json.dumps(g["samples"]),
        )
        for k, g in taken.items()
    ]
    async with pool.acquire() as connection, connection.transaction():
        await connection.executemany(
            "INSERT INTO baseline_logs (message_pattern, count, level, source, first_seen, last_seen, metadata,"
            " sample_messages) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            rows,
        )


async def periodic(pool: asyncpg.Pool | None) -> None:
    while True:
        await asyncio.sleep(WINDOW)
        await flush(pool)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    pool = None
    if len(sys.argv) > 2:
        pool = await asyncpg.create_pool(sys.argv[2], min_size=2, max_size=10)
        await pool.execute(
            "CREATE TABLE IF NOT EXISTS baseline_logs (id serial PRIMARY KEY, message_pattern text, count integer,"
            " level varchar(10), source varchar(100), first_seen timestamptz, last_seen timestamptz, metadata jsonb,"
            " sample_messages jsonb)"
        )
    app.state.pool = pool
    task = asyncio.create_task(periodic(pool))
    yield
    task.cancel()
    await flush(pool)
    if pool is not None:
        await pool.close()


app = FastAPI(lifespan=lifespan)


@app.post("/ingest", status_code=202)
async def ingest(log: Log) -> dict[str, int]:
    add(log)
    return {"accepted": 1}


@app.post("/ingest/batch", status_code=202)
async def ingest_batch(batch: Batch) -> dict[str, int]:
    for log in batch.logs:
        add(log)
    return {"accepted": len(batch.logs)}


@app.post("/flush")
async def force() -> dict[str, str]:
    await flush(app.state.pool)
    return {"status": "flushed"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", loop="uvloop", http="httptools")
