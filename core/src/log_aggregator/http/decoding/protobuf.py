"""Walks over the fields of a protobuf message without decoding it: no body can become more than its bytes.

A protobuf library makes objects of a whole body, so a few million empty messages fill the memory. Receivers walk down
to one log at a time with this, and decode that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from log_aggregator.http.problem import Problem

MOST_OTHERS = 1000
"""Fields of one message that are not asked for, or are numbers: more are made to keep us busy."""


def parts(  # noqa: C901  a call for each field would double its cost
    data: bytes, at: int, end: int, wanted: Collection[int]
) -> Iterator[tuple[int, int, int]]:
    """The fields with these numbers of the message that lies from `at` to `end`.

    For texts, bytes and messages: the number, where the contents begin and end. For varints: the number, the value,
    and -1. Raises `Problem` 400 where it is no protobuf, or is broken off.
    """
    others = 0
    while at < end:
        tag = data[at]
        at += 1
        if tag > 127:
            tag, at = varint(data, at - 1, end)
        kind, number = tag & 7, tag >> 3
        if kind == 2:
            length = data[at] if at < end else 128
            at += 1
            if length > 127:
                length, at = varint(data, at - 1, end)
            start, at = at, at + length
            if at > end:
                raise _broken()
            if number in wanted:
                yield number, start, at
                continue
        elif kind == 0:
            value, at = varint(data, at, end)
            if number in wanted:
                yield number, value, -1
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise _broken()
        others += 1
        if others > MOST_OTHERS:
            raise Problem(400, "the body has too many protobuf fields that are not known")
    if at > end:
        raise _broken()


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of up to 64 bits, and where it ends. Raises `Problem` 400."""
    value = shift = 0
    while at < end and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise _broken()


def _broken() -> Problem:
    return Problem(400, "the body is not protobuf, or it is broken off")
