from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator.journal import decode_flush, encode_flush, rows
from log_aggregator.journal.rows import AT_ONCE
from log_aggregator.model.aggregate import Aggregate, Alias, Anomaly, Flush, Position
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import KeySummary


def group(number: int, text: str = "x") -> Aggregate:
    summary = KeySummary.of(count=3, values={f"{text} {number}": 3})
    return Aggregate(
        3600, f"User {number} {text}", "INFO", "svc", 3, 1, 2, metadata={"user": summary}, samples=Samples((text,))
    )


def flush_of(groups: list[Aggregate]) -> Flush:
    anomaly = Anomaly("a", "spike", "open", "notify", "p", "P", "INFO", "svc", 1, 2, 0.5, details={"seen": 9})
    aliases = (Alias("old", "new {ID}", 4),)
    return Flush("one", Position(7, 8), Position(7, 7), 1, 2, 3 * len(groups), tuple(groups), aliases, (anomaly,))


@given(st.lists(st.text(max_size=300), max_size=3 * AT_ONCE + 1))
def test_a_flush_is_read_as_it_was_written(texts: list[str]) -> None:
    groups = [group(number, text) for number, text in enumerate(texts)]
    flush = flush_of(groups)
    assert decode_flush(bytes(encode_flush(flush))) == flush


@pytest.mark.parametrize("groups", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 70_000])
def test_any_number_of_groups(groups: int) -> None:
    flush = flush_of([Aggregate(0, "P", "INFO", "svc", at, 1, 2) for at in range(groups)])
    assert decode_flush(encode_flush(flush)) == flush


def test_flushes_written_in_one_piece_are_read() -> None:
    flush = flush_of([group(number) for number in range(40)])
    assert decode_flush(msgspec.msgpack.encode(flush)) == flush


def test_what_cannot_be_written_is_told() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_flush(flush_of([group(number) for number in range(20)] + [group(20, "\ud800")]))


class Watched:
    """Encodes, and notes of how many groups at once."""

    def __init__(self) -> None:
        self.encoder = msgspec.msgpack.Encoder()
        self.groups = [0]

    def encode(self, obj: Any) -> bytes:
        self.groups.append(len(getattr(obj, "aggregates", ())))
        return self.encoder.encode(obj)

    def encode_into(self, obj: Any, *where: Any) -> None:
        self.groups.append(len(obj))
        self.encoder.encode_into(obj, *where)


def test_no_call_that_keeps_the_lock_encodes_many_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    monkeypatch.setattr(rows, "_encoder", watched)
    assert len(decode_flush(encode_flush(flush_of([group(number) for number in range(1000)]))).aggregates) == 1000
    assert max(watched.groups) == AT_ONCE
