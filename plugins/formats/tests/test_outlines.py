"""Whether lines are plain sentences is asked of an outline only where it says the same of each of its lines."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator import Record, shape_of
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.letters import KINDS
from log_aggregator.model.outlines import Outlines
from log_aggregator_formats import FormatsPlugin
from log_aggregator_formats.config import Config
from log_aggregator_formats.recognise import is_sentence, tells_of_sentences

PARTS = st.sampled_from(
    (
        "Jan", "Mon", "job", "web-0", "GET", "POST", "I0000", "W", "ERROR", "info", "debug0", "level=", "a.b:", "x", " ", " ",
        "  ", "[", "-", "|", "| ", "/", ":", "=", ",", "00", "00 ", "\t", "\n", *[sign * 3 for sign in KINDS], *KINDS,
    )
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=9), st.integers(0, 2**32))
def test_an_outline_tells_of_its_lines(parts: list[str], seed: int) -> None:
    draw, outline = random.Random(seed), "".join(parts)
    if tells_of_sentences(outline):
        for _ in range(5):
            line = "".join([draw.choice(sorted(KINDS[sign])) if sign in KINDS else sign for sign in outline])
            assert is_sentence(shape_of(line)) == is_sentence(outline)


LINES = (
    "session {} opened for tenant 42", "level=info msg=hello id={}", "2026-11-30 10:00:00 INFO app - got {}", "GET /x/{} 200",
    "[main] INFO got {}", "{} was evicted", '{{"level":"warn","message":"got {}"}}', "Jan {} done", "ERROR: no {}", "web-1 | {}",
    "level={}", "worker {}: method=GET path=/x status=200",
)  # fmt: skip


def test_what_is_lifted_is_the_same_in_groups_of_outlines() -> None:
    draw, outlines = random.Random(1), Outlines()
    plugin, direct = FormatsPlugin(Config()), FormatsPlugin(Config())
    for _ in range(4):
        messages = [line.format(f"{draw.getrandbits(48):012x}") for line in LINES for _ in range(5)]
        batches = [WorkingBatch([Record(one, "INFO", "web", 0, {}) for one in messages]) for _ in range(2)]
        batches[0].use(outlines)
        for batch, one in zip(batches, (plugin, direct), strict=True):
            batch.call("on_ingest", one.on_ingest)
            batch.call("normalize", one.normalize)
        assert batches[0].records() == batches[1].records()
