"""Bodies of `POST /loki/api/v1/push` → records: JSON, or protobuf in a snappy block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import cramjam
from aiohttp import hdrs, web

from log_aggregator import Record
from log_aggregator.http.decoding.protobuf import parts, varint
from log_aggregator.http.receiving import Problem, SentBody
from log_aggregator.receivers import BadLogError
from log_aggregator_loki.labels import LabelsError, parse
from log_aggregator_loki.records import LineReader

MOST_PAIRS = 1000
"""Labels of structured metadata that are looked at; a record keeps fewer."""

MOST_KNOWN = 4096
"""Pairs of a request that are remembered: most come again and again."""

MOST_GROWTH = 25
"""A snappy block cannot become larger than so many times its size: copies of 64 bytes take three."""

_NANOS = re.compile(r"\d{1,19}")


def encoding(request: web.Request) -> str | None:
    """Some clients name snappy as a content encoding; it is part of the format."""
    return "" if request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower() == "snappy" else None


def unpack(request: web.Request, body: bytes, most: int) -> bytes:
    """The protobuf of a snappy block; JSON as it is. Raises `Problem` 400 and 413."""
    if is_json(request, body):
        return body
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > most:
            raise Problem(413, f"the body has {size} bytes when decompressed; expected at most {most}")
        if size > MOST_GROWTH * len(body):
            raise Problem(400, "the body is not a snappy block: it cannot have the length that it says")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise Problem(400, "the body is not a snappy block; expected protobuf in snappy, or JSON") from None


def is_json(request: web.Request, body: bytes) -> bool:
    """Whether a push is JSON: by its content type, or by how it begins where that says nothing."""
    kind = request.headers.get(hdrs.CONTENT_TYPE, "").lower()
    return "json" in kind or ("protobuf" not in kind and body[:64].lstrip()[:1] == b"{")


def read(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of a push. Raises `Problem` 400 when the body is none."""
    tenant = sent.request.headers.get("X-Scope-OrgID")
    return _read_json(sent, tenant) if is_json(sent.request, sent.body) else _read_protobuf(sent, tenant)


def _read_json(sent: SentBody, tenant: str | None) -> Iterator[Record | BadLogError]:
    document = sent.json()
    streams = document.get("streams") if isinstance(document, dict) else None
    if not isinstance(streams, list):
        raise Problem(400, 'expected {"streams": [{"stream": {…}, "values": [["<nanoseconds>", "<line>"], …]}, …]}')
    for stream in streams:
        labels, values = (stream.get("stream"), stream.get("values")) if isinstance(stream, dict) else (None, None)
        if not isinstance(values, list):
            yield BadLogError("a stream without values")
            continue
        lines = LineReader(labels if isinstance(labels, dict) else {}, tenant)
        for value in values:
            yield _entry(sent, lines, value)


def _entry(sent: SentBody, lines: LineReader, value: Any) -> Record | BadLogError:
    if not isinstance(value, list) or len(value) < 2:
        return BadLogError('an entry that is no list; expected ["<nanoseconds>", "<line>"]')
    when = value[0]
    if isinstance(when, str) and _NANOS.fullmatch(when):
        when = int(when)
    if not when:
        sent.all_timed, when = False, None
    more = value[2] if len(value) > 2 and isinstance(value[2], dict) else None
    return lines.read(value[1], when, more)


def _read_protobuf(sent: SentBody, tenant: str | None) -> Iterator[Record | BadLogError]:
    body = sent.body
    known: dict[bytes, tuple[str, str]] = {}
    for streams, (_, begin, end) in enumerate(_messages(body, 0, len(body), 1), 1):
        sent.check_count(streams)
        labels = next((_text(body, start, stop) for _, start, stop in _messages(body, begin, end, 1)), "{}")
        try:
            lines: LineReader | LabelsError = LineReader(parse(labels), tenant)
        except LabelsError as error:
            lines = error
        for _, start, stop in parts(body, begin, end, (2,)):
            if stop < 0:
                continue
            if isinstance(lines, LabelsError):
                yield BadLogError(str(lines))
            else:
                yield _protobuf_entry(sent, lines, start, stop, known)


def _protobuf_entry(
    sent: SentBody, lines: LineReader, begin: int, end: int, known: dict[bytes, tuple[str, str]]
) -> Record | BadLogError:
    body = sent.body
    found = _short_entry(body, begin, end, known)
    if found is None:
        found = _any_entry(body, begin, end)
        if found is None:
            return BadLogError("an entry that is not the protobuf of one")
    nanos, line, more = found
    if not nanos:
        sent.all_timed = False
    return lines.read(line, nanos or None, more)


def _short_entry(
    body: bytes, at: int, end: int, known: dict[bytes, tuple[str, str]]
) -> tuple[int, str, dict[str, str]] | None:
    """Time, line and structured metadata of an entry as everybody writes it: in this order, none longer than 127
    bytes but the line. `None` for every other entry. `known` are pairs of this request that came before."""
    if end - at < 5 or body[at] != 0x0A or body[at + 1] > 127:
        return None
    middle = at + 2 + body[at + 1]
    if middle + 3 > end or body[middle] != 0x12:
        return None
    nanos = _nanos(body, at + 2, middle)
    length = body[middle + 1]
    at = middle + 2
    if length > 127:
        length, at = varint(body, middle + 1, end)
    line = body[at : at + length]
    at += length
    pairs: list[tuple[str, str]] = []
    while at + 2 < end:
        size = body[at + 1]
        stop = at + 2 + size
        if body[at] != 0x1A or size > 127 or stop > end:
            return None
        raw = body[at + 2 : stop]
        pair = known.get(raw)
        if pair is None:
            pair = _pair(raw, 0, size)
            if len(known) < MOST_KNOWN:
                known[raw] = pair
        pairs.append(pair)
        at = stop
    return (nanos, str(line, "utf-8", "replace"), dict(pairs)) if at == end and len(pairs) <= MOST_PAIRS else None


def _any_entry(body: bytes, begin: int, end: int) -> tuple[int, str, dict[str, str]] | None:
    """The same of every entry; `None` where it is none."""
    line, nanos = "", 0
    more: dict[str, str] = {}
    for number, start, stop in parts(body, begin, end, (1, 2, 3)):
        if stop < 0:
            return None
        if number == 1:
            nanos = _nanos(body, start, stop)
        elif number == 2:
            line = _text(body, start, stop)
        elif len(more) < MOST_PAIRS:
            name, value = _pair(body, start, stop)
            more[name] = value
    return nanos, line, more


def _messages(body: bytes, begin: int, end: int, wanted: int) -> Iterator[tuple[int, int, int]]:
    """The messages and texts under one number; entries and labels of the same stream are skipped, not counted."""
    for part in parts(body, begin, end, (1, 2)):
        if part[0] == wanted and part[2] >= 0:
            yield part


def _pair(body: bytes, begin: int, end: int) -> tuple[str, str]:
    """A label: name and value."""
    # Both are nearly always short and in this order, which takes no walk.
    middle = begin + 2 + body[begin + 1] if end - begin > 3 and body[begin] == 0x0A else end
    if middle + 1 < end and body[middle] == 0x12 and middle + 2 + body[middle + 1] == end and end - begin < 128:
        return str(body[begin + 2 : middle], "utf-8", "replace"), str(body[middle + 2 : end], "utf-8", "replace")
    pair = {number: _text(body, start, stop) for number, start, stop in parts(body, begin, end, (1, 2)) if stop >= 0}
    return pair.get(1, ""), pair.get(2, "")


def _nanos(body: bytes, begin: int, end: int) -> int:
    """google.protobuf.Timestamp, in nanoseconds; 0 for what was never set."""
    seconds = nanos = 0
    if begin + 2 < end and body[begin] == 0x08:  # as everybody writes it; likewise
        if begin + 6 < end and body[begin + 5] < 128 <= min(body[begin + 1 : begin + 5]):  # five bytes until 3058
            one, two, three, four, five = body[begin + 1 : begin + 6]
            seconds = one + (two << 7) + (three << 14) + (four << 21) + (five << 28) - 0x10204080
            at = begin + 6
        else:
            seconds, at = varint(body, begin + 1, end)
        if at < end and body[at] == 0x10:
            nanos, at = varint(body, at + 1, end)
        if at != end:
            return 0
    else:
        for number, value, kind in parts(body, begin, end, (1, 2)):
            if kind == -1:
                seconds, nanos = (value, nanos) if number == 1 else (seconds, value)
    return seconds * 10**9 + nanos if 0 < seconds < 2**40 and 0 <= nanos < 10**9 else 0


def _text(body: bytes, start: int, stop: int) -> str:
    return body[start:stop].decode("utf-8", "replace")
