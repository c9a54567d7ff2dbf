"""How a body that is not plain JSON is read: as JSON in another form, as lines of text, or not at all."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from log_aggregator.model.fields.limits import TooManyError

_decode = msgspec.json.Decoder().decode
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_BEGINS_JSON = re.compile(rb"\s*(?:\{|\[\s*(?:[\[{\"\]]|\Z))")


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


def read_document(raw: bytes, most: int, *, is_json: bool, is_lines: bool) -> Any:
    """A body in whatever form: its one JSON value, or a list with one entry per line or concatenated value.

    A body that is one JSON value is that value. Otherwise each line that is a JSON object is an object, and each other
    line is a log with this text as its message. Where JSON was announced, what begins like JSON and is broken is an
    error: with `is_lines` a `NotJsonError` in place of the line, with `is_json` alone one that is raised. Raises
    `TooManyError` beyond `most` lines.
    """
    raw = raw.removeprefix(_BOM)
    try:
        value = read_json(raw)
    except NotJsonError as error:
        entries = read_lines(raw, most, is_json=is_json or is_lines)
        if _BEGINS_JSON.match(raw) and not _is_object(raw.lstrip(_SPACE).split(b"\n", 1)[0]):
            concatenated = _read_concatenated(raw, most)
            if concatenated:
                return concatenated
            if is_json and not is_lines:
                raise error from None
        return entries
    # A line that happens to be a number, such as 1.10, is a text like any other.
    is_line = isinstance(value, int | float) or (value is None and not is_json)
    return [_text(raw.strip(_SPACE))] if is_line else value


def read_lines(raw: bytes, most: int, *, is_json: bool) -> list[Any]:
    """One entry per line that is not blank: an object, a text as `{"message": …}`, or a `NotJsonError`.

    Raises `TooManyError` beyond `most` lines.
    """
    lines = [line for line in raw.removeprefix(_BOM).split(b"\n") if line.strip()]
    if len(lines) > most:
        raise TooManyError(len(lines), most)
    return [_line(line, is_json=is_json) for line in lines]


def _line(line: bytes, *, is_json: bool) -> Any:
    start = line.lstrip(_SPACE)[:1]
    if start == b"{" or (start == b'"' and line.rstrip(_SPACE).endswith(b'"')):
        try:
            value = read_json(line)
        except NotJsonError as error:
            if is_json:
                return error
        else:
            return value if isinstance(value, dict) else {"message": value}
    return _text(line.removesuffix(b"\r"))


def _text(line: bytes) -> dict[str, str]:
    return {"message": line.decode("utf-8", "replace")}


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(read_json(line), dict)
    except NotJsonError:
        return False


def _read_concatenated(raw: bytes, most: int) -> list[Any]:
    """Objects one behind the other, as `jq` and HEC clients write them; empty when the body is not that."""
    text = raw.decode("utf-8", "replace")
    decoder = json.JSONDecoder(strict=False)
    found: list[Any] = []
    at = 0
    while len(found) <= most:
        at = _next(text, at)
        if at == len(text):
            return found
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict):
            return []
        found.append(value)
    raise TooManyError(len(found), most)


_NOT_SPACE = re.compile(r"[^ \t\r\n]|\Z")


def _next(text: str, at: int) -> int:
    found = _NOT_SPACE.search(text, at)
    assert found is not None
    return found.start()
