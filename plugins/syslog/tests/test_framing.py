"""Framing: counted or delimited, decided for each message, wherever the bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator_syslog.framing import FrameError, Framer

STREAM = b"9 <14>count<14>line\n<13>nul\x0018 <11>two\nlines here<14>last\n"
MESSAGES = [b"<14>count", b"<14>line", b"<13>nul", b"<11>two\nlines here", b"<14>last"]


def framed(pieces: list[bytes], largest: int = 1000) -> tuple[list[bytes], int]:
    framer = Framer(largest)
    messages = [message for piece in pieces for message in framer.feed(piece)]
    return messages + framer.finish(), framer.broken


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_messages_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[begin:end] for begin, end in itertools.pairwise(edges)]
    assert framed(pieces) == (MESSAGES, 0)


def test_a_line_without_a_priority_goes_on_with_the_message_before_it() -> None:
    assert framed([b"<14>trace\n  at a\nCaused by\n<14>next\n"])[0] == [b"<14>trace\n  at a\nCaused by", b"<14>next"]


def test_lines_of_a_sender_that_sends_no_priorities_are_messages_of_their_own() -> None:
    assert framed([b"one\ntwo\n\n"])[0] == [b"one", b"two"]


@pytest.mark.parametrize("cut_off", [b"20 <14>never whole", b"<14>no line end", b"12"])
def test_what_the_end_of_a_connection_cuts_off_is_no_message(cut_off: bytes) -> None:
    assert framed([b"<14>whole\n", cut_off]) == ([b"<14>whole"], 1)


def test_a_counted_message_that_is_too_large_is_cut_and_the_next_one_is_found() -> None:
    stream = b"104 <14>" + b"x" * 100 + b"8 <14>next"
    for step in (1, 7, len(stream)):
        pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
        assert framed(pieces, largest=50)[0] == [b"<14>" + b"x" * 46, b"<14>next"]


def test_a_delimited_message_that_is_too_large_is_cut() -> None:
    assert framed([b"<14>" + b"x" * 60 + b"\n<14>next\n"], largest=50)[0][-1] == b"<14>next"


def test_a_count_that_lies_ends_the_connection_after_the_messages_before_it() -> None:
    framer = Framer(1000)
    assert framer.feed(b"8 <14>good999999999 <14>") == [b"<14>good"]
    with pytest.raises(FrameError):
        framer.feed(b"x")
