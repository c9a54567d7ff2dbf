"""Searches, marks, triage and comparisons on PostgreSQL."""

from __future__ import annotations

import pytest

from log_aggregator.oncall import OnCallStore
from log_aggregator_postgres import PostgresSink
from tests.support import on_call
from tests.support.sinks import Chain, Host, deliver


@pytest.fixture
async def store(host: Host, sink: PostgresSink) -> OnCallStore:
    await deliver(sink, Chain("first").flush())
    assert isinstance(host.store, OnCallStore)
    return host.store


async def test_searches(store: OnCallStore, sink: PostgresSink) -> None:
    await on_call.fill(sink)
    await on_call.check_searches(store)
    await on_call.check_searched_series(store)
    await on_call.check_values(store)


async def test_marks(store: OnCallStore) -> None:
    await on_call.check_marks(store)


async def test_triage(store: OnCallStore, sink: PostgresSink) -> None:
    await on_call.check_triage(store, sink)


async def test_comparison(store: OnCallStore, sink: PostgresSink) -> None:
    await on_call.check_comparison(store, sink)
