"""Large answers go out as gzip to clients that take it, and read the same as plain ones."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from core.tests.http.memory_backend import MemoryBackend, serve_backend
from log_aggregator.config.settings import Settings
from log_aggregator.http.zipped import LEAST, takes_gzip


class Wordy(MemoryBackend):
    size = 0

    async def stats(self) -> dict[str, Any]:
        return {"words": ["pattern"] * self.size}


@pytest.mark.parametrize("size", [1, 200, 50_000])
async def test_large_answers_are_compressed(size: int) -> None:
    backend = Wordy(Settings(port=0))
    backend.size = size
    async with serve_backend(backend) as door:
        plain = await door.client.get("/stats", headers={"Accept-Encoding": "identity"})
        expected = await plain.read()
        assert "Content-Encoding" not in plain.headers
        async with (
            ClientSession(auto_decompress=False) as raw,
            raw.get(f"http://127.0.0.1:{door.port}/stats", headers={"Accept-Encoding": "br, gzip"}) as answer,
        ):
            body = await answer.read()
        packed = len(expected) >= LEAST
        assert (answer.headers.get("Content-Encoding") == "gzip") == packed
        assert ("Accept-Encoding" in answer.headers.get("Vary", "")) == packed
        assert json.loads(gzip.decompress(body) if packed else body) == json.loads(expected)
        assert not packed or len(body) * 10 < len(expected)
        head = await door.client.head("/stats")
        assert head.status == 200


@pytest.mark.parametrize(
    ("header", "takes"),
    [("", False), ("gzip", True), ("GZIP;q=0.5", True), ("gzip;q=0", False), ("*", True), ("*, gzip;q=0", False),
     ("identity", False), ("gzip;q=x", False), ("deflate, gzip ; q=1.0", True)],
)  # fmt: skip
def test_who_takes_gzip(header: str, takes: bool) -> None:
    assert takes_gzip(header) == takes
