"""Deliveries that no edge sends: a wrong group costs itself, a wrong body is refused."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from log_aggregator.model.numbers import Numbers
from log_aggregator.model.summary import KeySummary
from log_aggregator.model.values import Values
from log_aggregator_dev.harness import Harness, harness
from log_aggregator_upstream.delivery import CONTENT_TYPE
from plugins.upstream.tests.deliveries import NOON, US, deliver, document, group

EDGES = "[plugins.edges]\naccept = true\n"


@pytest.fixture
async def hub() -> AsyncIterator[Harness]:
    async with harness(EDGES) as service:
        yield service


def _key(kept: dict[str, int], cells: tuple[int, ...] = (), name: str = "k", numbers: Any = None) -> dict[str, Any]:
    """Metadata of one key."""
    return {"metadata": {name: KeySummary.of(1, Values(kept, {}, list(cells)), numbers)}}


SAMPLES = {"messages": ["User 7 logged in"], "latest": 0, "details": []}
NUMBERS = Numbers("", 2, 1.0, 1.0, "1", 0, {2: 1})

WRONG: dict[str, dict[str, Any]] = {
    "count 0": {"count": 0},
    "count beyond": {"count": 2**53 + 1},
    "outside the bucket": {"first_seen": NOON * US - 1},
    "backwards": {"first_seen": NOON * US + 9},
    "no bucket": {"bucket": NOON + 1, "first_seen": (NOON + 1) * US, "last_seen": (NOON + 1) * US},
    "minutes beyond": {"minutes": (3,)},
    "negative minutes": {"minutes": (-1, 3)},
    "too many minutes": {"minutes": (0, 0, 0, 0, 0, 2)},
    "empty pattern": {"pattern": ""},
    "long group": {"group": "x" * 600},
    "categories beyond": {"categories": {"a": 3}},
    "tags without a name": {"tags": {"": 1}},
    "many tags": {"tags": {str(n): 1 for n in range(65)}},
    "keys": _key({"a": 1}, name="k" * 200),
    "values": _key({"a": -1}),
    "no values": _key({}),
    "long value": _key({"a" * 999: 1}),
    "cells": _key({"a": 1}, (1,)),
    "numbers": _key({"a": 1}, numbers=NUMBERS),
    "sums": _key({"a": 1}, numbers=msgspec.structs.replace(NUMBERS, count=1, nanos="1e9")),
    "latest": {"samples": {"messages": ["a"], "latest": 3, "details": []}},
    "details": {"samples": {"messages": ["a", "b"], "latest": 0, "details": [[1]]}},
}  # fmt: skip


@pytest.mark.parametrize("name", list(WRONG))
async def test_a_wrong_group_costs_itself(hub: Harness, name: str) -> None:
    wrong = msgspec.structs.asdict(group()) | {"samples": SAMPLES} | WRONG[name]
    answer = await deliver(hub, wrong, group("good", "good"))
    assert (answer.status, answer.body["accepted"]) == (202, 2), answer
    assert [entry["index"] for entry in answer.body["rejected"]] == [0]
    assert (await hub.counts()) == {"good": 2}


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2},
        {"edge": "x"},
        {"place": (-1, 1)},
        {"via": ["y"]},
        {"bucket": 0},
        {"columns": [7]},
        {"columns": [[1], ["a"]]},
    ],
    ids=["version", "edge", "place", "via", "bucket", "columns", "lengths"],
)
async def test_a_body_that_is_none_is_refused(hub: Harness, fields: dict[str, Any]) -> None:
    answer = await deliver(hub, **fields)
    assert answer.status == 400, answer
    assert await hub.aggregates() == []


async def test_broken_bodies_and_other_types_are_refused(hub: Harness) -> None:
    headers = {"Content-Type": CONTENT_TYPE}
    for body in (b"", b"\xc1", b"[]", b"\x91" * 5000, msgspec.msgpack.encode(document(group()))[:-5]):
        assert (await hub.request("POST", "/aggregates", data=io.BytesIO(body), headers=headers)).status == 400
    assert (await hub.request("POST", "/aggregates", json={})).status == 415


async def test_limits_of_bodies_and_groups_hold() -> None:
    environ = {"MAX_DECOMPRESSED_BYTES": "20000"}
    async with harness("[plugins.edges]\naccept = true\nmax_groups = 2\n", environ=environ) as service:
        rows = [group(f"p {letter}", "p") for letter in "abc"]
        assert (await deliver(service, *rows)).status == 413
        assert (await deliver(service, group("x" * 30_000, "x"))).status == 413
        assert (await deliver(service, *rows[:2])).status == 202
