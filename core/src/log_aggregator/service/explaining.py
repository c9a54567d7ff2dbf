"""What the stages make of one line that somebody asks about."""

from __future__ import annotations

from typing import Any

from log_aggregator.errors import OverloadedError, Reject
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.record import Record, pattern_id
from log_aggregator.plugins.stages import Stages, StageUnavailableError
from log_aggregator.receivers import BadLogError, record_of_text


async def explain_line(stages: Stages, line: str) -> dict[str, Any]:
    """The fields that the line's record would have, and its pattern; nothing is stored.

    `rejected` says why there is none. Stages that learn see the line as they see any other.
    """
    try:
        record = record_of_text(line)
    except BadLogError as error:
        return _told(Record(line, "", "", 0, {}), str(error))
    try:
        batch, rejected = stages.guard(WorkingBatch([record]))
        if not batch.size:
            return _told(record, rejected[0][1] if rejected else "a stage drops such logs")
        if stages.has_isolated:
            await stages.process_with_isolated(batch)
        else:
            stages.process(batch)
    except (Reject, OverloadedError, StageUnavailableError) as error:
        return _told(record, str(error))
    return _told(batch.records()[0], "")


def _told(record: Record, rejected: str) -> dict[str, Any]:
    pattern = "" if rejected else record.pattern or record.message
    return {
        "message": record.message,
        "pattern": pattern,
        "pattern_id": pattern_id(pattern) if pattern else "",
        "level": record.level,
        "source": record.source,
        "category": record.category,
        "tags": list(record.tags),
        "rejected": rejected,
    }
