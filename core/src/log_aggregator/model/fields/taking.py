"""Takes one field out of an object, from the first of its places that holds something usable."""

from __future__ import annotations

from typing import Any

from log_aggregator.model.fields.families import is_clock, level_from, time_from
from log_aggregator.model.fields.lenient import keep_sent_timestamp
from log_aggregator.model.fields.plans import Place, Plan
from log_aggregator.model.fields.requests import STARTED
from log_aggregator.model.fields.stacks import stack_text
from log_aggregator.model.fields.timestamps import AbsurdTimeError

_OPENED = frozenset({"message", "msg", "event", "log", "body"})
"""Names whose value may be the log itself, wrapped once: `{"message": {"msg": …}}`."""

_NUMBERS_TOO = frozenset({"message", "msg"})
_SAID_BY_A_STACK = ("message", "name", "type", "class", "value", "kind", "file")
_ABSENT = object()


def wrapped(log: dict[str, Any], plan: Plan) -> dict[str, Any] | None:
    """The object with the one that its message holds opened; `None` where the message is a text."""
    for place in plan.message:
        value = log[place.key]
        if place.below:
            continue
        if place.name in _OPENED and type(value) is dict:
            inner = next((value[name] for name in ("message", "msg", "text", "log") if name in value), None)
            if type(inner) is str and inner:
                return {key: other for key, other in log.items() if key != place.key and key not in value} | value
        elif type(value) is str and value:
            return None
    return None


def take_message(log: dict[str, Any], plan: Plan) -> str | None:
    """The message, removed from the object; `None` without one."""
    for place in plan.message:
        value = value_at(log, place)
        if type(value) is str:
            text = value.removesuffix("\n") if place.name == "log" else value
        elif place.name in _NUMBERS_TOO and type(value) in (int, float, bool):
            text = _number_text(value)
        else:
            continue
        if text:
            remove(log, place)
            _remove_repeats(log, plan, text)
            return text
    return None


def _remove_repeats(log: dict[str, Any], plan: Plan, message: str) -> None:
    """Remove what says the same under another name for a message."""
    for place in plan.message:
        if value_at(log, place) == message:
            remove(log, place)


def _number_text(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    try:
        return str(value)
    except ValueError:  # more digits than Python turns into text
        return ""


def take_stack(log: dict[str, Any], plan: Plan, message: str) -> str:
    """The stack to be appended, without what the message says already. Its other fields leave the object with it."""
    place, text = _stack_in(log, plan)
    if place is None:
        return ""
    remove(log, place)
    _remove_said(log, place, f"{message}\n{text}")
    return "" if text in message else text


def take_stack_alone(fields: dict[str, Any], plan: Plan, message: str) -> str:
    """The same for fields that stand beside a message: what they say beside the stack stays."""
    place, text = _stack_in(fields, plan)
    if place is None:
        return ""
    remove(fields, place)
    return "" if text in message else text


def _stack_in(log: dict[str, Any], plan: Plan) -> tuple[Place | None, str]:
    for place in plan.stack:
        value = value_at(log, place)
        if value is None or value is _ABSENT:
            continue
        text = stack_text(place.name, value, _owner_of(log, place))
        if text:
            return place, text
    return None, ""


def _remove_said(log: dict[str, Any], place: Place, text: str) -> None:
    """Remove what the error object says beside its stack and the message says too."""
    for field in _SAID_BY_A_STACK:
        if place.below:
            other = place._replace(below=(*place.below[:-1], field))
        elif "." in place.key:
            other = Place("", f"{place.key.rpartition('.')[0]}.{field}")
        else:
            return
        value = value_at(log, other)
        if type(value) is str and value and value in text:
            remove(log, other)


def take_level(log: dict[str, Any], plan: Plan) -> str | None:
    """A name beats a number: `level: 400` beside `level_name: ERROR` depends on who counts."""
    number: tuple[Place, str] | None = None
    for place in plan.level:
        value = value_at(log, place)
        level = level_from(place.name, value, log)
        if level is None:
            continue
        if type(value) is str and not value.isdecimal():
            remove(log, place)
            if number is not None:
                remove(log, number[0])
            return level
        number = number or (place, level)
    if number is None:
        return None
    remove(log, number[0])
    return number[1]


def remove_level(log: dict[str, Any], plan: Plan, known: str) -> None:
    """Remove what says the level that is known already; another one stays."""
    for place in plan.level:
        if level_from(place.name, value_at(log, place), log) == known:
            remove(log, place)


def take_time(log: dict[str, Any], plan: Plan, now: int) -> int | None:
    """The time in microseconds, removed from the object; `None` without one.

    One that cannot be read or believed is kept as `timestamp_sent`.
    """
    absurd: Place | None = None
    for place in plan.timestamp:
        try:
            timestamp = time_from(place.name, value_at(log, place), log, now)
        except AbsurdTimeError:
            absurd = absurd or place
            continue
        if timestamp is not None:
            if place.name == "time" and is_clock(value_at(log, place)) and type(log.get("date")) is str:
                del log["date"]
            if place.name == "timestampseconds":
                log.pop("timestampNanos", None)
            remove(log, place)
            return timestamp
    if absurd is None:
        absurd = next((place for place in plan.timestamp if place.name in ("timestamp", "@timestamp")), None)
    if absurd is not None:
        value = value_at(log, absurd)
        if value is not None and value != "" and value is not _ABSENT:
            remove(log, absurd)
            keep_sent_timestamp(log, value)
    return None


def take_start(log: dict[str, Any], now: int) -> int | None:
    """The time at which a request began in microseconds, removed from the object; `None` without one."""
    for name in STARTED:
        try:
            timestamp = time_from(name, log.get(name), log, now)
        except AbsurdTimeError:
            continue
        if timestamp is not None:
            del log[name]
            return timestamp
    return None


def value_at(log: dict[str, Any], place: Place) -> Any:
    """The value at a place; an object of no other type where there is none."""
    value = log.get(place.key, _ABSENT)
    for key in place.below:
        if type(value) is not dict:
            return _ABSENT
        value = value[key] if key in value else _any_case(value, key)
    return value


def _any_case(nested: dict[str, Any], name: str) -> Any:
    return next((value for key, value in nested.items() if key.lower() == name), _ABSENT)


def _owner_of(log: dict[str, Any], place: Place) -> dict[str, Any]:
    owner = value_at(log, place._replace(below=place.below[:-1])) if place.below else log
    return owner if type(owner) is dict else {}


def remove(log: dict[str, Any], place: Place) -> None:
    """Remove a value; objects around it are replaced, not changed, and left out when nothing is left of them."""
    if not place.below:
        del log[place.key]
        return
    nested = _without(log[place.key], place.below)
    if nested:
        log[place.key] = nested
    else:
        del log[place.key]


def _without(nested: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    name, *below = path
    key = name if name in nested else next(key for key in nested if key.lower() == name)
    rest = {other: value for other, value in nested.items() if other != key}
    if below and (inner := _without(nested[key], tuple(below))):
        rest[key] = inner
    return rest
