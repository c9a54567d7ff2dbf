"""Masks go through the pipeline in one piece: patterns and templates keep them or replace them whole."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.model.masks import MASK
from log_aggregator_dev import harness

PLANTED = Path(__file__).parents[2] / "plugins/redact/tests/planted.py"
PIPELINE = "[plugins.redact]\n[plugins.patterns]\n[plugins.templates]\n[plugins.classify]\n"
PIECE = re.compile(r"redacted|\[\{VAR\}:")


def _planted(seed: int) -> list[Any]:
    specification = importlib.util.spec_from_file_location("planted_for_masks", PLANTED)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return list(module.plant_all(seed))


async def test_no_mask_is_torn_in_a_pattern() -> None:
    messages = [secret.message for seed in range(3) for secret in _planted(seed)]
    async with harness(PIPELINE) as service:
        for start in range(0, len(messages), 200):
            await service.post(*messages[start : start + 200])
        await service.flush()
        patterns = [aggregate.pattern for aggregate in await service.aggregates()]
    torn = [pattern for pattern in patterns if PIECE.search(MASK.sub("", pattern))]
    assert torn == []
    assert sum(MASK.search(pattern) is not None for pattern in patterns) > 100


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("login with password=hunter2 failed", "login with password=[redacted:password] failed"),
        ("DB_PASS: hunter2", "DB_PASS: [redacted:password]"),
        ("connecting to postgres://app:pw7@db/shop now", "connecting to {URL} now"),
    ],
)
async def test_a_mask_stays_readable_and_takes_its_url_with_it(message: str, pattern: str) -> None:
    async with harness(PIPELINE) as service:
        await service.post(message)
        await service.flush()
        assert [aggregate.pattern for aggregate in await service.aggregates()] == [pattern]
