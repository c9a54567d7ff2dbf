"""How a body that is not plain JSON is still read, and when it is given up."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from log_aggregator.model.fields.limits import TooManyError

_decode = msgspec.json.Decoder().decode
_BOM = b"\xef\xbb\xbf"


class NotJsonError(ValueError):
    """Neither strict nor forgiving decoding read it; the text says why and where."""


def read_json(raw: bytes) -> Any:
    """A JSON document → Python values. Raises `NotJsonError`.

    Forgiven: a byte order mark, bytes that are not UTF-8 (they become U+FFFD), lone surrogates, raw control
    characters in texts, NaN and infinities. Of a key given twice the last value holds. Not forgiven:
    nesting deeper than the decoder's stack.
    """
    try:
        return _decode(raw)
    except RecursionError:
        raise NotJsonError("nested too deep") from None
    except (msgspec.MsgspecError, ValueError):
        return _read_forgiving(raw)


def _read_forgiving(raw: bytes) -> Any:
    text = raw.removeprefix(_BOM).decode("utf-8", "replace")
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        raise NotJsonError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise NotJsonError("an integer has too many digits") from None


def read_lines(raw: bytes, most: int) -> list[Any]:
    """NDJSON → one value a line; a line that cannot be read is its `NotJsonError`. Empty lines do not count.

    Raises `TooManyError` beyond `most` lines.
    """
    lines = [line for line in raw.removeprefix(_BOM).split(b"\n") if line.strip()]
    if len(lines) > most:
        raise TooManyError(len(lines), most)
    return [_line(line) for line in lines]


def _line(line: bytes) -> Any:
    try:
        return read_json(line)
    except NotJsonError as error:
        return error
