"""Serializes a detector's state as plain numbers (MessagePack), so that loading it executes no code."""

from __future__ import annotations

from array import array
from typing import Any

import msgspec

from log_aggregator_trends.detector.alarm import Alarm
from log_aggregator_trends.detector.detector import Detector
from log_aggregator_trends.detector.level import Level
from log_aggregator_trends.detector.schedule import Schedule
from log_aggregator_trends.detector.season import Season
from log_aggregator_trends.detector.silence import Silence
from log_aggregator_trends.detector.spread import Spread

_PARTS = {
    "level": Level,
    "season": Season,
    "spread": Spread,
    "schedule": Schedule,
    "silence": Silence,
    "alarm": Alarm,
}


def pack(detector: Detector) -> bytes:
    """The state of a detector, about 2.5 kB."""
    return msgspec.msgpack.encode(_fields(detector))


def unpack(packed: bytes) -> Detector | None:
    """A detector with the packed state; `None` when the bytes are invalid or of another version."""
    detector = Detector()
    try:
        fields = msgspec.msgpack.decode(packed, type=dict[str, Any])
        _restore(detector, fields)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError, TypeError, KeyError):
        return None
    return detector


def _names(owner: object) -> tuple[str, ...]:
    slots: tuple[str, ...] = vars(type(owner))["__slots__"]
    return slots


def _fields(owner: object) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in _names(owner):
        value = getattr(owner, name)
        if isinstance(value, array):
            value = value.tobytes()
        elif name in _PARTS:
            value = _fields(value)
        fields[name] = bytes(value) if isinstance(value, bytearray) else value
    return fields


def _restore(owner: object, fields: dict[str, Any]) -> None:
    names = _names(owner)
    if set(names) != set(fields):
        raise ValueError("the fields are not those of this version")
    for name in names:
        fresh, value = getattr(owner, name), fields[name]
        if name in _PARTS:
            _restore(fresh, value)
        elif isinstance(fresh, array):
            stored = array(fresh.typecode, value)
            if len(stored) != len(fresh):
                raise ValueError(f"{name} has another length")
            setattr(owner, name, stored)
        elif isinstance(fresh, bytearray):
            if len(value) != len(fresh):
                raise ValueError(f"{name} has another length")
            setattr(owner, name, bytearray(value))
        elif isinstance(value, bool | int | float):
            setattr(owner, name, type(fresh)(value))
        else:
            raise TypeError(name)
