"""nats-py: JSON objects to a subject."""

import asyncio
import json
import logging
from datetime import UTC, datetime

import nats
from story import EXTRA, SOURCE, TARGET, events


async def main() -> None:
    client = await nats.connect(f"nats://127.0.0.1:{TARGET['nats']}", connect_timeout=20)
    for event in events():
        log = {
            "time": datetime.fromtimestamp(event.at, UTC).isoformat(),
            "level": logging.getLevelName(event.level),
            "message": event.message,
            **EXTRA,
        }
        if event.error:
            log["stack_trace"] = event.trace
        await client.publish(f"logs.{SOURCE}", json.dumps(log).encode())
    await client.drain()


asyncio.run(main())
