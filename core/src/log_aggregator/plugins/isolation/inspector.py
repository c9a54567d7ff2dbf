"""How closely the host looks at what a plugin left in a batch, and how invalid fields are repaired."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.group import Group, is_metadata_assigned, metadata_of, records_of
from log_aggregator.model.record import Record
from log_aggregator.model.validation import UNENCODABLE, fault_of, repair

ESCALATED_CALLS = 200
"""Calls after an invalid record during which every record is validated after every plugin, to find the plugin."""

INSPECTED = 32
"""Of so many calls of a plugin, one is followed by the validation of three records."""

log = logging.getLogger(__name__)


class Inspector:
    """Validates what plugins leave: three records now and then, every record after an invalid one was found."""

    def __init__(self) -> None:
        self._escalated = 0
        self._turn = 0

    def fault_in(self, batch: WorkingBatch, calls: int) -> str:
        """What is invalid after a plugin's call, or an empty text. `calls`: how often the plugin was called before.

        Repairs the batch when something is invalid.
        """
        if self._escalated:
            self._escalated -= 1
            examined: Iterable[Record] = _all(batch)
        elif calls % INSPECTED == 0:
            self._turn += 1
            examined = _examples(batch, self._turn)
        else:
            return ""
        if not any(map(fault_of, examined)):
            return ""
        self._escalated = ESCALATED_CALLS
        return f"left records with an invalid {_repaired(batch)}"

    def repair(self, batch: WorkingBatch) -> None:
        """Repair a batch that turned out to be invalid, and escalate."""
        self.escalate(_repaired(batch))

    def escalate(self, fields: str) -> None:
        """Validate every record for a while: some plugin left these fields invalid."""
        self._escalated = ESCALATED_CALLS
        log.warning("a plugin left invalid records", extra={"fields": fields})

    def groups(self, batch: WorkingBatch) -> list[Group]:
        """The groups of a batch, which is repaired first when it cannot be grouped."""
        try:
            return batch.all_groups()
        except UNENCODABLE:
            self.repair(batch)
            return batch.all_groups()


def _all(batch: WorkingBatch) -> list[Record]:
    try:
        return batch.records()
    except UNENCODABLE:  # an annotation cannot even be written to the records
        return [_example(group, 0) for group in batch.all_groups()]


def _examples(batch: WorkingBatch, turn: int) -> list[Record]:
    """Up to three records with their annotations: the first, the last, and with each turn another between."""
    try:
        groups = batch.all_groups()
    except UNENCODABLE:
        return batch.records()
    return [_example(group, turn) for group in (groups[0], groups[-1], groups[turn % len(groups)])] if groups else []


def _example(group: Group, turn: int) -> Record:
    records = records_of(group)
    place = turn % len(records)
    record = records[place]
    metadata = metadata_of(group)[place] if is_metadata_assigned(group) else record.metadata
    return Record(
        record.message, group.level, group.source, record.timestamp, metadata, group.level_is_explicit,
        group.pattern, group.category, group.tags, group.pattern_is_final, record.weight,
    )  # fmt: skip


def _repaired(batch: WorkingBatch) -> str:
    """Repair the records of a batch; the names of the fields that were invalid."""
    batch.regroup()
    fields = {field for record in batch.records() if (field := repair(record))}
    return ", ".join(sorted(fields))
