"""nats-py: JSON objects to a subject."""

import asyncio
import json

import nats
from story import SOURCE, TARGET, events


async def main() -> None:
    client = await nats.connect(f"nats://127.0.0.1:{TARGET['nats']}", connect_timeout=20)
    for event in events():
        await client.publish(f"logs.{SOURCE}", json.dumps(event.as_object()).encode())
    await client.drain()


asyncio.run(main())
