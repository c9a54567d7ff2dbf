"""Metadata that is gathered by column, summarized whenever it is, says what all logs at once say."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator.aggregation import accumulators as module
from log_aggregator.aggregation.accumulators import Accumulators
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.summary import KeySummary, Summary, summarize
from log_aggregator.processing.partial_aggregates import PreAggregator

NOW = 1_800_000_000_000_000
_VALUES = st.one_of(
    st.integers(-3, 40), st.sampled_from(("17 ms", "0.05s", "512KiB", "node-1", "", "1", True, 1.0, None)),
    st.integers(0, 400).map("id-{}".format), st.floats(-1e6, 1e6), st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 30), max_size=2),
)  # fmt: skip
_METADATA = st.dictionaries(st.sampled_from(("host", "ms", "status", "user", "res")), _VALUES, max_size=5)
_LOGS = st.lists(st.tuples(_METADATA, st.integers(0, 2), st.integers(-5, 5)), min_size=1, max_size=60)


@pytest.mark.parametrize("group_by", [(), ("host",)], ids=["", "grouped"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(logs=_LOGS, size=st.integers(1, 20), waiting=st.sampled_from((0, 7, 40, 10**6)))
def test_summaries_are_those_of_all_logs_at_once(
    logs: list[tuple[dict[str, Any], int, int]], size: int, waiting: int, group_by: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(module, "_VALUES_WAITING", waiting)
    records = [
        Record("m", "INFO", f"app-{source}", NOW + seconds * 1_000_000, metadata, pattern="p")
        for metadata, source, seconds in logs
    ]
    sorter, under_test = PreAggregator(3600, group_by), Accumulators(100_000, 5)
    for start in range(0, len(records), size):
        under_test.add(sorter.sort(WorkingBatch(records[start : start + size])))
        assert under_test.waiting <= waiting
    sent: defaultdict[tuple[int, str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        bucket = record.timestamp // 3_600_000_000 * 3600
        sent[bucket, record.source, sorter._group_of(record.metadata)].append(record.metadata)
    for aggregate in under_test.take():
        same = sent.pop((aggregate.bucket, aggregate.source, aggregate.group))
        assert aggregate.count == len(same)
        assert _known(aggregate.metadata) == _known(summarize(same))
    assert not sent


def _known(summary: Summary) -> dict[str, Any]:
    """All of a summary but its draws, which are random."""
    return {key: _of_key(entry) for key, entry in summary.items()}


def _of_key(entry: KeySummary) -> tuple[Any, ...]:
    values = entry.values
    drawn = set(values.draws) if values.complete else len(values.draws)
    return entry.count, values.kept, values.cells, drawn, entry.numbers
