"""Long JSON columns of rows are stored deflated: a row of ten metadata keys takes a third of the room.

A deflated value is a BLOB; JSON as text, which other programs and earlier versions wrote, is read as it is.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

COLUMNS = frozenset({"metadata", "variables", "sample_details"})
"""The columns that may be deflated."""

_FORM = b"\x01"
_LEVEL = 3
_WINDOW = -15
_LEAST = 64
_MOST_BYTES = 8 * 1024 * 1024

# Part of the form: a change makes what was deflated before unreadable. The most frequent texts stand last.
_DICTIONARY = (
    b'"region":{"version":{"session":{"host":{"code":{"error":{"method":{"trace_id":{"ip":{"path":{"url":{"status":{'
    b'"bytes":{"size":{"duration":{"user":{"user_id":{"request_id":{"ID":{"NUM":{"TIME":{"PATH":{"IP":{"UUID":{'
    b'[{"time":1790000000000000,"metadata":{"request_id":"","user_id":"","user":"","duration":"ms","bytes":,'
    b'"status":200,"path":"/api/","url":"https://","method":"GET","region":"","host":"","version":"","session":""},'
    b'"earliest":{"time":17'
    b'{"value":"true","count":1}{"value":"false","count":1}{"value":"GET","count":1}{"value":"POST","count":1}'
    b'{"value":"404","count":1}{"value":"500","count":1}{"value":"200","count":2}'
    b'"complete":false,"values":[{"value":"","count":1},{"value":"","count":1},{"value":"","count":1}],'
    b'"state":{"draws":{"kept":{"":1,"":1,"":1},"cells":[0,0,0,0,0,0,0,0,1,0,0,0,0,2,0,0,1,0,1,0]}},"unit":"mixed","unit":"B","unit":"%",'
    b'"unit":"s","count":1,"min":0.0,"max":0.0,"mean":0.0,"sum":"0.000000000","p50":0.0,"p90":0.0,"p95":0.0,"p99":0.0,'
    b'"zeros":0,"bins":{"-100":1,"200":1}}},"count":2,"distinct":2,"complete":true,"values":[{"value":"","count":1},'
    b'{"value":"","count":1}],"state":{"draws":{"":-0.1,"":1.2}},"numbers":{"unit":"","count":1,"min":0.0,"max":0.0,'
    b'"mean":0.0,"sum":"0.000000000","p50":0.0,"p90":0.0,"p95":0.0,"p99":0.0,"zeros":0,"bins":{"300":1}}},"'
    b'":{"count":1,"distinct":1,"complete":true,"values":[{"value":"","count":1}],"state":{"draws":{"":0.'
)


def deflated(text: str | None) -> str | bytes | None:
    """The text as it is to be stored; a short one stays as it is.

    Raises `UnicodeEncodeError`, as SQLite does, for a lone surrogate.
    """
    if text is None or len(text) < _LEAST:
        return text
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, 5, zdict=_DICTIONARY)
    return _FORM + packer.compress(text.encode()) + packer.flush()


def inflated(stored: Any) -> Any:
    """The text of what is stored: anything that is not deflated is given back as it is. Never raises."""
    return _inflated(stored) if isinstance(stored, bytes) and stored[:1] == _FORM else stored


@lru_cache(maxsize=8)  # a condition asks several times for the same value
def _inflated(stored: bytes) -> Any:
    unpacker = zlib.decompressobj(_WINDOW, zdict=_DICTIONARY)
    try:
        text = unpacker.decompress(stored[1:], _MOST_BYTES).decode()
        return text if unpacker.eof else stored
    except (zlib.error, UnicodeDecodeError):
        return stored


def as_stored(text: str | None, json_text: bool) -> str | bytes | None:
    """The text deflated, or as it is where other programs are to read it."""
    return text if json_text else deflated(text)


def text_of(column: str) -> str:
    """The SQL of the text of such a column; any other is named as it is.

    Only a BLOB is given to the function: a text of another program need not be UTF-8.
    """
    if column.rpartition(".")[2] not in COLUMNS:
        return column
    return f"CASE WHEN typeof({column}) = 'blob' THEN inflated({column}) ELSE {column} END"
