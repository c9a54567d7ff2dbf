"""What clients send again, because the answer to the first attempt was lost on its way, is counted once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.clients.receiving import Receiving
from tests.support.link import Link

pytestmark = pytest.mark.clients

LOGS = 26
UPLOAD = Path("/lib/systemd/systemd-journal-upload")
REPEATED = {"otlp_sdk": LOGS, "elasticsearch_bulk": 10, "splunk_hec": LOGS, "forward_chunk": LOGS}
"""Clients that send again by themselves, and how many logs come twice: those of the first request."""


class LostAnswer:
    """Cuts the connection in front of the first answer: the service has taken the logs, the client does not know."""

    def __init__(self) -> None:
        self.lost = False

    def __call__(self, direction: str, data: bytes) -> int | None:
        if direction == "up" or self.lost:
            return None
        self.lost = True
        return 0


@pytest.mark.parametrize("program", REPEATED)
async def test_logs_are_counted_once_when_an_answer_was_lost(program: str, receiving: Receiving) -> None:
    name = "forward" if program == "forward_chunk" else "http"
    async with Link(("127.0.0.1", receiving.target[name])) as link:
        link.watch = LostAnswer()
        away = {name: link.port, "url": f"http://127.0.0.1:{link.port}"}
        await asyncio.to_thread(receiving.run, program, **away)
    assert link.cuts == 1
    assert link.connections > 1, "the client has not sent again"
    counts = await asyncio.to_thread(receiving.patterns, LOGS)
    assert sum(one["count"] for one in counts) == LOGS
    assert receiving.repeated() == REPEATED[program]


def test_a_journal_that_is_uploaded_again_is_counted_once(receiving: Receiving) -> None:
    if not UPLOAD.exists():
        pytest.skip("systemd-journal-remote is not installed; .ci/run installs it")
    receiving.run("journald_upload", "2")
    assert sum(one["count"] for one in receiving.patterns(LOGS)) == LOGS
    assert receiving.repeated() == LOGS
