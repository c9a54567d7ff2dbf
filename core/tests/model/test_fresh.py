"""What a decoder made needs no second look, and what a stage says of it is seen, counted and written all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.tests.ingest.test_ingester import Held, settled
from core.tests.model.test_batch import any_record, said
from log_aggregator import Batch, Record, Reject
from log_aggregator.journal.intake import decode, encode
from log_aggregator.model.batch import is_fresh
from log_aggregator.model.record import Fresh, fill_shapes
from log_aggregator.service.service import Service

Make = Callable[..., Record]


def fresh(records: list[Record]) -> Fresh:
    found = Fresh(records)
    fill_shapes(found)
    return found


def sent_only() -> st.SearchStrategy[list[Record]]:
    """Records of which nobody has said anything."""

    def unsaid(record: Record) -> Record:
        record.pattern, record.tags = "", ()
        return record

    return st.lists(any_record().map(unsaid), max_size=20)


@given(sent_only())
def test_fresh_records_are_taken_together_as_others(records: list[Record]) -> None:
    found, expected = (
        [(s.shape, s.level, s.source, s.level_is_explicit, s.metadata, said(s.records)) for s in batch.alike()]
        for batch in (Batch(fresh(records)), Batch([copy(record) for record in records]))
    )
    assert found == expected


@given(sent_only(), st.data())
def test_what_is_said_of_fresh_records_is_written(records: list[Record], data: st.DataObject) -> None:
    """A stage says something of some, of alike records together or of each; also after they were written once."""
    batch = Batch(fresh(records))
    expected = [copy(record) for record in records]
    values: dict[str, Any] = {"pattern": "p", "category": "c", "tags": ("t",), "level": "L", "source": "s"}
    places = {id(record): place for place, record in enumerate(records)}
    for _ in range(data.draw(st.integers(0, 3))):
        some: list[Any] = data.draw(st.sampled_from([batch.alike, batch.records]))()
        for one in some:
            if field := data.draw(st.sampled_from(["", "", *values])):
                setattr(one, field, values[field])
                for record in [one] if isinstance(one, Record) else one.records:
                    setattr(expected[places[id(record)]], field, values[field])
        if data.draw(st.booleans()):
            batch.written()
    written = batch.written()
    read = decode(encode(written, fresh=is_fresh(batch)))
    assert said(read) == said(written) == said(expected)
    assert [one.level_is_explicit for one in read] == [one.level_is_explicit for one in expected]


def test_what_nobody_said_takes_no_place_in_the_journal(record: Make) -> None:
    records = fresh([record("a 1", metadata={"k": 1}), record("a 2")])
    batch = Batch(records)
    batch.alike()
    written = batch.written()
    assert is_fresh(batch)
    assert len(encode(written, fresh=True)) < len(encode(written))


class RefusesTogether:
    """Says something of all records, one by one, and refuses them when they are not alone."""

    def on_ingest(self, batch: Batch) -> None:
        if batch.size > 1:
            for record in batch.records():
                record.category = "seen"
            raise Reject("not together")


class Looks:
    def on_ingest(self, batch: Batch) -> None:
        batch.alike()


async def test_what_was_said_before_a_refusal_is_kept_when_each_is_asked_alone(
    start: Callable[..., Service], record: Make
) -> None:
    async with start(RefusesTogether(), Looks()) as service:
        held = Held(service)
        takings = [asyncio.create_task(service.take([record("first")]))]
        await settled()
        takings += [asyncio.create_task(service.take(fresh([record(text)]))) for text in ("a", "b")]
        await settled()
        await held.let_go()
        assert [(await taking).accepted for taking in takings] == [1, 1, 1]
        rows = await service.writer.submit(lambda connection: list(service.intake.read(connection, 0, 10)))
        assert [(one.message, one.category) for _, records in rows for one in records] == [
            ("first", ""),
            ("a", "seen"),
            ("b", "seen"),
        ]
