"""The obvious implementation: FastAPI, pydantic models, one regular expression after another, a dictionary, asyncpg.

It counts the values of metadata, as the service does. Needs fastapi, uvicorn and httptools. Without a DSN it aggregates
and stores nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import uvicorn
from fastapi import FastAPI

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.obvious import Batch, Groups, Log

WINDOW = 30.0

buffer = Groups(counts=True)


async def flush(pool: asyncpg.Pool | None) -> None:
    taken = buffer.take()
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
    buffer.add(log)
    return {"accepted": 1}


@app.post("/ingest/batch", status_code=202)
async def ingest_batch(batch: Batch) -> dict[str, int]:
    for log in batch.logs:
        buffer.add(log)
    return {"accepted": len(batch.logs)}


@app.post("/flush")
async def force() -> dict[str, str]:
    await flush(app.state.pool)
    return {"status": "flushed"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", loop="uvloop", http="httptools")
