"""What the latest rows of one pattern, and the details of older ones, say together: metadata, variables, samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from log_aggregator.model.aggregate import Aggregate, merge
from log_aggregator.model.samples import Sample, Samples
from log_aggregator.model.summary import Summary, merge_summaries
from log_aggregator.store import SAMPLE_LOGS, SampleLog
from log_aggregator.storekit.columns import decoded


class Detail(NamedTuple):
    """The merged summaries of some rows, the messages that merging keeps, and their logs, newest first."""

    metadata: Summary
    variables: Summary
    samples: tuple[str, ...]
    sample_logs: list[SampleLog]


def merged_detail(rows: list[Aggregate], old: list[Aggregate], newest_id: str, max_samples: int) -> Detail:
    """Merge the rows of one pattern, at least one, and `old`, the details of older ones. Blocking: milliseconds.

    `newest_id` is its id now. Rows under an earlier id have other placeholders: their variables count only where no row
    has the newest id.
    """
    # A row whose details were moved keeps messages, whose times are among the moved details.
    moved = {message for row in old for message in row.samples.messages}
    rows = [row for row in rows if not _is_among(row.samples, moved)] + old or rows
    merged = rows[0]
    for row in rows[1:]:
        merged = merge(merged, row, max_samples)
    variables: Summary = {}
    for row in [row for row in rows if row.pattern_id == newest_id] or rows:
        variables = merge_summaries(variables, row.variables)
    return Detail(merged.metadata, variables, merged.samples.messages, _sample_logs(rows))


def _is_among(samples: Samples, messages: set[str]) -> bool:
    return bool(samples.messages) and not samples.details and messages.issuperset(samples.messages)


def _sample_logs(rows: Iterable[Aggregate]) -> list[SampleLog]:
    """The newest logs of all rows, of equal messages the newest."""
    found: dict[str, tuple[Sample, Aggregate]] = {}
    for row in rows:
        for log in row.samples.logs(row.first_seen, row.last_seen):
            known = found.get(log.message)
            if known is None or log > known[0]:
                found[log.message] = (log, row)
    newest = sorted(found.values(), key=lambda entry: entry[0], reverse=True)[:SAMPLE_LOGS]
    return [_sample_log(log, row) for log, row in newest]


def _sample_log(log: Sample, row: Aggregate) -> SampleLog:
    metadata = decoded(log.metadata)
    return SampleLog(
        time=log.time,
        message=log.message,
        level=row.level,
        source=row.source,
        metadata=metadata if isinstance(metadata, dict) else {},
    )
