"""The default stages leave only valid records: an inspector that validates every call finds nothing."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from log_aggregator_dev import harness
from log_aggregator_service.demo import stream

PIPELINE = "[plugins.redact]\n[plugins.classify]\n[plugins.patterns]\n[plugins.templates]\n"

SECRETS = [
    {"message": "login", "metadata": {"password": "hunter2", "n": 1}},
    {"message": "login 2", "metadata": {}},
    {"message": "paid with 4111 1111 1111 1111", "source": "shop"},
    {"message": "token=ghp_0123456789abcdefghijklmnopqrstuvwxyz", "metadata": {"a": {"secret": "x"}}},
    {"message": "took 12 ms"},
]


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_no_stage_leaves_an_invalid_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("log_aggregator.plugins.isolation.inspector.INSPECTED", 1)
    demo = list(itertools.islice(stream(), 400))
    logs = [log for pair in zip(demo, itertools.cycle(SECRETS), strict=False) for log in pair]
    async with harness(PIPELINE, data_dir=tmp_path) as h:
        for start in range(0, len(logs), size):
            assert (await h.post(*logs[start : start + size])).status == 202
        assert sum((await h.counts()).values()) == len(logs)
        stats = (await h.get("/stats"))["plugins"]
        errors = {name: stats[name]["errors"] for name in stats}
        # Beside other tests a thousand new lines may hold up the loop, which is told as the last error.
        told = {name: stats[name]["last_error"] for name in stats if not stats[name]["stalls"]}
        assert (errors, told) == (dict.fromkeys(stats, 0), dict.fromkeys(told))
        assert "hunter2" not in str(await h.aggregates())
