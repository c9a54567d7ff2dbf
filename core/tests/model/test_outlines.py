"""Outlines never show: a stage of an author sees the groups of shapes, in the order of their first records."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Batch, Group, Record
from log_aggregator.model.batch import WorkingBatch, outlined
from log_aggregator.model.group import outline_of_group
from log_aggregator.model.letters import HEX
from log_aggregator.model.outlines import Outlines

IDS = ("0a1b2c3d4e5f", "deadbeef0123", "9c01be7f3a11", "17", "cuvewhu", "\ua4d0" * 12, "é0a1b2c3d4e5f")
MESSAGES = st.lists(
    st.builds("{} {} {}".format, st.sampled_from(("job", "0")), st.sampled_from(IDS), st.sampled_from(("done", "1"))),
    max_size=30,
)


def batch_of(messages: list[str], outlines: Outlines | None) -> WorkingBatch:
    draw = random.Random(len(messages))
    batch = WorkingBatch([Record(one, draw.choice(("INFO", "WARN")), "web", 0, {}) for one in messages])
    if outlines is not None:
        batch.use(outlines)
    return batch


def seen(groups: list[Group]) -> list[tuple[str, str, list[str]]]:
    return [(group.shape, group.level, list(group.messages)) for group in groups]


@given(MESSAGES, st.booleans())
def test_groups_are_those_of_shapes(messages: list[str], split: bool) -> None:
    batch, plain = batch_of(messages, Outlines()), batch_of(messages, None)

    def ours(batch: Batch) -> None:
        for group in outlined(batch):
            for message, part in group.split(group.messages) if split else ():
                part.category = message

    def theirs(batch: Batch) -> None:
        for group in batch.groups():
            for message, part in group.split(group.messages) if split else ():
                part.category = message

    batch.call("enrich", ours)
    plain.call("enrich", theirs)
    assert seen(list(batch.groups())) == seen(list(plain.groups()))
    assert [one.category for one in batch.records()] == [one.category for one in plain.records()]


def test_fresh_ids_share_a_group_of_our_own_stages_and_later_stand_alone() -> None:
    outlines = Outlines()
    messages = ["job 0a1b2c3d4e5f done", "job 1b2c3d4e5f6a done", f"job {HEX * 12} done"]
    for expected in ([2, 1], [1, 1, 1]):
        batch = batch_of(messages, outlines)
        batch._records[1].level = batch._records[2].level = batch._records[0].level
        groups = batch.all_groups()
        assert [len(group.messages) for group in groups] == expected
    assert not outline_of_group(groups[0])


def test_a_message_that_is_replaced_has_a_key_of_its_own() -> None:
    batch = batch_of(["job 0a1b2c3d4e5f done", "job 1b2c3d4e5f6a done"], Outlines())

    def replace(batch: Batch) -> None:
        for record in batch:
            record.message = record.message.replace("job", "task")

    batch.all_groups()
    batch.call("on_ingest", replace)
    assert {message[:4] for group in batch.groups() for message in (group.shape, *group.messages)} == {"task"}
