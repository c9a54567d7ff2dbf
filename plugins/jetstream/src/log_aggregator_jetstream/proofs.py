"""What makes an acknowledged log durable, proved at the servers: versions, syncs, replicas."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request

from log_aggregator import ConfigError
from log_aggregator_jetstream.config import JetstreamConfig
from log_aggregator_jetstream.connection import Connection

OLDEST = (2, 15)
"""The first release that syncs once for each append entry of its Raft log instead of once for each message."""

LEAST_PAYLOAD = 1024 * 1024
"""Bytes that a message must be allowed to have."""

WAIT = 3.0


def version_of(connection: Connection) -> tuple[int, ...]:
    """The version of the server that is connected."""
    parts = re.match(r"v?(\d+)\.(\d+)\.(\d+)", str(connection.client._server_info.get("version", "")))
    return tuple(map(int, parts.groups())) if parts else (0,)


def check_server(connection: Connection) -> None:
    """Raises `ConfigError` when the server is too old, or takes only short messages."""
    version = version_of(connection)
    if version < OLDEST:
        raise ConfigError(f"servers: nats-server {'.'.join(map(str, version))}: expected 2.15 or newer")
    if connection.client.max_payload < LEAST_PAYLOAD:
        raise ConfigError(f"servers: max_payload is {connection.client.max_payload}: expected {LEAST_PAYLOAD} or more")


async def unproven(config: JetstreamConfig) -> str:
    """What of the servers' syncs is not proved; empty when they all sync before they acknowledge.

    Raises `ConfigError` when a server says that it does not.
    """
    if not config.monitors:
        return "durability at power loss is unproven: name the servers' monitoring addresses in monitors"
    answers = await asyncio.gather(*(asyncio.to_thread(_syncs_always, url) for url in config.monitors))
    lazy = [url for url, always in zip(config.monitors, answers, strict=True) if always is False]
    if lazy:
        raise ConfigError(f"monitors: {', '.join(lazy)}: sync_interval is not always; expected: sync_interval: always")
    silent = [url for url, always in zip(config.monitors, answers, strict=True) if always is None]
    if silent:
        return f"durability at power loss is unproven: no answer from {', '.join(silent)}"
    if len(config.monitors) < config.replicas:
        return f"durability at power loss is unproven: {len(config.monitors)} monitors for {config.replicas} replicas"
    return ""


def _syncs_always(url: str) -> bool | None:
    """Whether a server syncs before it acknowledges; `None` when it does not say."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/jsz", timeout=WAIT) as answer:  # noqa: S310  http, by config
            return bool(json.load(answer)["config"].get("sync_always", False))
    except (OSError, ValueError, KeyError):
        return None
