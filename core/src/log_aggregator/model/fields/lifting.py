"""The fields of any JSON object, by the field table: flat, dotted or nested, whichever logger wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from log_aggregator.model.fields.families import level_from, source_from
from log_aggregator.model.fields.plans import Plan, Plans, flattened, quick_way
from log_aggregator.model.fields.requests import request_in, without_request
from log_aggregator.model.fields.table import OWN, STREAMS, FieldTable
from log_aggregator.model.fields.taking import (
    remove,
    remove_level,
    take_level,
    take_message,
    take_stack,
    take_stack_alone,
    take_start,
    take_time,
    value_at,
    wrapped,
)
from log_aggregator.model.fields.timestamps import parse

_NOTHING: Mapping[str, Any] = {}
_MEMO_ENTRIES = 1000


class Lifted(NamedTuple):
    """What was found in an object, `None` for what was not; `rest` is the metadata, not within its limits yet."""

    message: str | None
    level: str | None
    source: str | None
    timestamp: int | None
    rest: dict[str, Any]


_lifted = Lifted._make


class Lifter:
    """Finds the fields of objects; remembers how for each set of keys. Not for threads."""

    def __init__(self, table: FieldTable, *, own_names_first: bool = False) -> None:
        """With `own_names_first` the names of `POST /ingest` win over all others of the table."""
        self._takes_requests = table.enabled or not own_names_first
        if own_names_first:
            own = table if table.enabled else FieldTable((), (), (), (), ())
            table = own.with_names({field: (field,) for field in ("message", "level", "source", "timestamp")})
        self._own = own_names_first
        self._plans = Plans(table)
        self._stacks = frozenset({*table.stack, *(name.partition(".")[0] for name in table.stack)})
        self._last_keys: tuple[str, ...] = ()
        self._last = self._plans.make({})

    def message_key(self, logs: list[dict[str, Any]]) -> bytes:
        """The key of the message in the first of some objects, as JSON writes it."""
        plan = self._plan(logs[0]) if logs else None
        return f'"{plan.fast[0]}":'.encode() if plan is not None and plan.fast is not None else b'"message":'

    def _plan(self, log: dict[str, Any]) -> Plan:
        keys = tuple(log)
        if keys == self._last_keys:
            return self._last
        self._last_keys = keys
        self._last = self._plans.known(keys) or self._plans.make(log)
        return self._last

    def lift(  # noqa: C901, PLR0911, PLR0912  the hot path: no calls
        self, log: dict[str, Any], now: int, nested: dict[str, Any] | None = None
    ) -> Lifted:
        """The fields of an object, which is used up: what is no field of it is the rest.

        `nested` is the object from which `flattened` made this one.
        """
        keys = tuple(log)
        plan = self._last if keys == self._last_keys else self._plan(log)
        if plan.fast is None:
            return self.lift_carefully(nested or log, now)
        for key in plan.checks:
            value = log[key]
            kind = type(value)
            if kind is dict or kind is list or (kind is str and "\n" in value):
                flat = flattened(log, plan) if kind is dict and nested is None else None
                if flat is None:
                    return self.lift_carefully(nested or log, now)
                if not plan.is_learned:
                    self._learn(log, plan, flat)
                return self.lift(flat, now, log)
        message_key, level_key, source_key, time_key = plan.fast
        message = log[message_key]
        level = source = timestamp = None
        if type(message) is not str or not message or message_key == "log":
            return self.lift_carefully(nested or log, now)
        if level_key is not None:
            value = log[level_key]
            level = plan.levels.get(value) if type(value) is str or type(value) is int else None
            if level is None and (level := _remembered_level(plan, log)) is None:
                return self.lift_carefully(nested or log, now)
        if source_key is not None:
            value = log[source_key]
            source = plan.sources.get(value) if type(value) is str else None
            if source is None and (source := _remembered_source(plan, log)) is None:
                return self.lift_carefully(nested or log, now)
        if time_key is not None:
            value = log[time_key]
            if type(value) is not str and type(value) is not int:
                return self.lift_carefully(nested or log, now)
            try:
                timestamp = parse(value, now)
            except (ValueError, OverflowError):
                return self.lift_carefully(nested or log, now)
            del log[time_key]
        if source_key is not None:
            del log[source_key]
        if level_key is not None:
            del log[level_key]
        del log[message_key]
        if nested is not None and not log.keys() <= nested.keys():  # what is no field of it stays as it was sent
            return self.lift_carefully(nested, now)
        return _lifted((message, level, source, timestamp, log))

    def quick(  # noqa: C901, PLR0911  the hot path: no calls
        self, log: Mapping[str, Any], now: int, when: int | None = None
    ) -> Lifted | None:
        """The same as `lift` for an object of a kind that was lifted before, which stays as it is; else `None`.

        `when` is a time that is known and wins; `None` for objects that have one beside it.
        """
        plan = self._last if tuple(log) == self._last_keys else self._plan(log)  # type: ignore[arg-type]  # read only
        way = plan.quick
        if way is None:
            return None
        message_key, level_key, level_below, source_key, source_below, time_key, others, levels, sources = way
        for key in others:
            value = log[key]
            kind = type(value)
            if kind is dict or kind is list or (kind is str and "\n" in value):
                return None
        rest = dict(log)
        message = rest.pop(message_key)
        level = source = None
        if type(message) is not str or not message:
            return None
        if level_key is not None:
            level = _memorised(rest.pop(level_key), level_below, levels)
            if level is None:
                return None
        if source_key is not None:
            source = _memorised(rest.pop(source_key), source_below, sources)
            if source is None:
                return None
        if time_key is not None:
            value = rest.pop(time_key)
            if when is not None or (type(value) is not str and type(value) is not int):
                return None
            try:
                when = parse(value, now)
            except (ValueError, OverflowError):
                return None
        return _lifted((message, level, source, when, rest))

    def with_stack(self, message: str, fields: dict[str, Any]) -> str:
        """The message, and behind it the stack that stands in `fields`, which it leaves."""
        if self._stacks.isdisjoint(fields):
            return message
        stack = take_stack_alone(fields, self._plan(fields), message)
        return f"{message}\n{stack}" if stack else message

    def _learn(self, log: dict[str, Any], plan: Plan, flat: dict[str, Any]) -> None:
        plan.is_learned = True
        way = quick_way(log, plan, self._plans.known(tuple(flat)) or self._plans.make(flat))
        if way is not None:
            plan.quick = way

    def lift_beside(self, log: dict[str, Any], now: int, known: Mapping[str, Any]) -> Lifted:
        """The same where the fields of `known` are known already, and stay in the rest where they differ."""
        plan = self._plan(log)
        if "message" in known or any(getattr(plan, field) for field in known):
            return self.lift_carefully(log, now, known)
        return self.lift(log, now)

    def lift_carefully(
        self, log: dict[str, Any], now: int, skip: Mapping[str, Any] = _NOTHING, opened: bool = False
    ) -> Lifted:
        """The same for every object; fields of `skip` are not looked for. A level that repeats its own is removed."""
        plan = self._plan(log)
        if plan.reshape is not None and (plain := plan.reshape(log)) is not log:
            return self.lift_carefully(plain, now, skip)
        message = None
        if "message" not in skip:
            if not opened and (inner := wrapped(log, plan)) is not None:
                return self.lift_carefully(inner, now, skip, opened=True)
            message = take_message(log, plan)
        stack = take_stack(log, plan, message or "")
        if stack:
            message = f"{message}\n{stack}" if message else stack
        level = None
        if "level" not in skip:
            level = take_level(log, plan)
        else:
            remove_level(log, plan, skip["level"])
        source = None if "source" in skip else self._take_source(log, plan)
        timestamp = None if "timestamp" in skip else take_time(log, plan, now)
        rest = self._rest(log, skip)
        may_be_request = message is None and self._takes_requests and "message" not in skip
        if may_be_request and (request := request_in(rest)) is not None:
            message, rest = str(request), without_request(rest, request)
            level = request.level if level in (None, "INFO") and "level" not in skip else level
            timestamp = take_start(rest, now) if timestamp is None and "timestamp" not in skip else timestamp
        return Lifted(message, level, source, timestamp, rest)

    def _take_source(self, log: dict[str, Any], plan: Plan) -> str | None:
        for place in plan.source:
            value = value_at(log, place)
            source = source_from(place.name, value, log)
            if source is not None:
                remove(log, place)
                return source
        if self._own and type(sent := log.get("source")) is str and sent in STREAMS:
            return str(log.pop("source"))
        return None

    def _rest(self, log: dict[str, Any], skip: Mapping[str, Any]) -> dict[str, Any]:
        for name in OWN:
            if name in log and name not in skip and _is_blank(log[name]):
                del log[name]
        metadata = log.get("metadata")
        if type(metadata) is not dict:
            return log
        del log["metadata"]
        if not log:
            return metadata
        return metadata | {key: value for key, value in log.items() if key not in metadata}


def _is_blank(value: Any) -> bool:
    return value is None or (type(value) is str and not value.strip())


def _memorised(value: Any, below: str | None, memo: dict[Any, str]) -> str | None:
    if below is not None:
        if type(value) is not dict or len(value) != 1:
            return None
        value = value.get(below)
    return memo.get(value) if type(value) is str or type(value) is int else None


def _remembered_level(plan: Plan, log: dict[str, Any]) -> str | None:
    """The level where the first place alone decides, remembered with the plan."""
    place, *more = (place for place in plan.level if not place.below)
    value = log[place.key]
    if type(value) not in (str, int) or (type(value) is int and more):
        return None
    level = level_from(place.name, value, log)
    if level is not None and len(plan.levels) < _MEMO_ENTRIES:
        plan.levels[value] = level
    return level


def _remembered_source(plan: Plan, log: dict[str, Any]) -> str | None:
    place = next(place for place in plan.source if not place.below)
    value = log[place.key]
    source = source_from(place.name, value, log) if type(value) is str else None
    if source is not None and len(plan.sources) < _MEMO_ENTRIES:
        plan.sources[value] = source
    return source
