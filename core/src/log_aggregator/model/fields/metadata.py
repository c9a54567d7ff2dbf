"""What metadata may be: how many keys, how deep, how large, and which values."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from log_aggregator.model.fields.limits import MAX_KEY_LENGTH, Limits
from log_aggregator.model.fields.text import clean, cut, is_dirty, may_be_dirty

CUT_KEY = "_cut"
"""The key that says how much was left out."""

TOO_DEEP = "… [cut, nested too deep]"

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_encode = msgspec.json.Encoder().encode


def bounded(metadata: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """The metadata within the limits and safe to store; the same object when it is already.

    Nothing is refused. Keys beyond the limit, and keys whose value does not fit the size any more, are
    left out, and `_cut` says how many. What is nested too deep becomes a mark. Integers beyond 64 bits, NaN
    and infinities become text. Texts and keys are cleaned as messages are.
    """
    if not metadata or _is_plain(metadata, limits):
        return metadata
    if _is_fine(metadata, limits):
        return metadata
    kept: dict[str, Any] = {}
    room = limits.metadata_bytes
    for key, value in metadata.items():
        if len(kept) >= limits.keys:
            break
        name, safe = _key(key), _safe(value, limits, limits.depth - 1)
        size = len(_encode(name)) + len(_encode(safe)) + 2
        if size > room and isinstance(safe, str):
            safe = cut(safe, room // 12)  # a character takes at most 12 bytes as JSON
            size = len(_encode(name)) + len(_encode(safe)) + 2
        if size <= room:
            kept[name] = safe
            room -= size
    left_out = len(metadata) - len(kept)
    if left_out:
        kept[CUT_KEY] = f"{left_out} keys left out"
    return kept


def _is_plain(metadata: dict[str, Any], limits: Limits) -> bool:
    """Whether all are short printable texts of ASCII, as in most logs: as JSON, each character takes at most two bytes
    and each key with its value six more."""
    try:
        keys, texts = "".join(metadata), "".join(metadata.values())
    except TypeError:
        return False
    return (
        len(metadata) <= limits.keys
        and len(keys) <= MAX_KEY_LENGTH
        and 2 * (len(keys) + len(texts)) + 6 * len(metadata) + 2 <= limits.metadata_bytes
        and texts.isascii()
        and keys.isascii()
        and texts.isprintable()
        and keys.isprintable()
    )


def _is_fine(metadata: dict[str, Any], limits: Limits) -> bool:
    if not _object_is_fine(metadata, limits.keys, limits.depth - 1):
        return False
    try:
        encoded = _encode(metadata)
    except (UnicodeEncodeError, RecursionError, OverflowError):
        return False
    return len(encoded) <= limits.metadata_bytes and not may_be_dirty(encoded)


def _object_is_fine(metadata: dict[str, Any], most: int, depth: int) -> bool:
    if len(metadata) > most:
        return False
    for key, value in metadata.items():
        kind = type(value)
        if len(key) > MAX_KEY_LENGTH:
            return False
        if kind is str or kind is bool or value is None:
            continue
        if kind is int and _SMALLEST <= value <= _LARGEST:
            continue
        if kind is float and math.isfinite(value):
            continue
        if kind is dict and depth > 0 and _object_is_fine(value, most, depth - 1):
            continue
        if kind is list and depth > 0 and _list_is_fine(value, most, depth - 1):
            continue
        return False
    return True


def _list_is_fine(values: list[Any], most: int, depth: int) -> bool:
    """Texts, whole numbers and objects; anything else takes the longer way."""
    kinds = set(map(type, values))
    if kinds <= {str, bool}:
        return True
    if kinds == {int}:
        return bool(min(values) >= _SMALLEST and max(values) <= _LARGEST)
    return kinds == {dict} and depth > 0 and all(_object_is_fine(value, most, depth - 1) for value in values)


def _key(key: str) -> str:
    return cut(clean(key) if is_dirty(key) else key, MAX_KEY_LENGTH)


def _safe(value: Any, limits: Limits, depth: int) -> Any:
    if isinstance(value, dict | list):
        if depth <= 0:
            return TOO_DEEP
        if isinstance(value, dict):
            return _safe_object(value, limits, depth)
        return [_safe(item, limits, depth - 1) for item in value]
    if isinstance(value, str):
        return clean(value) if is_dirty(value) else value
    return _safe_number(value)


def _safe_number(value: float | bool | None) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return _digits(value)
    return value


def _safe_object(value: dict[str, Any], limits: Limits, depth: int) -> dict[str, Any]:
    safe = {_key(key): _safe(item, limits, depth - 1) for key, item in list(value.items())[: limits.keys]}
    left_out = len(value) - len(safe)
    if left_out:
        safe[CUT_KEY] = f"{left_out} keys left out"
    return safe


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python turns into text
        return f"{'-' if value < 0 else ''}[integer of {value.bit_length()} bits]"
