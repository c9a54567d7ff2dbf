"""Where an object with certain keys holds its fields: worked out once for each set of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from log_aggregator.model.fields.loggers import Reshape, reshape_of
from log_aggregator.model.fields.table import FieldTable

FIELDS = ("message", "level", "source", "timestamp", "stack")


class Place(NamedTuple):
    """One place where a field may be: its name in the table, the key, and the lower-case keys below it."""

    name: str
    key: str
    below: tuple[str, ...] = ()


class Quick(NamedTuple):
    """Where objects of one kind hold their fields: keys, and names one level below them where the objects are nested.

    It holds where the values of `others` are neither objects nor lists nor texts of several lines.
    """

    message: str
    level: str | None
    level_below: str | None
    source: str | None
    source_below: str | None
    time: str | None
    others: tuple[str, ...]
    levels: dict[Any, str]
    sources: dict[Any, str]


class Plan:
    """The places of each field in an object with certain keys, the first that is usable counts.

    `fast` are the keys of message, level, source and time, `None` for a field without; it holds where the values of
    `checks` are neither objects nor lists nor texts of several lines. Without it only the careful way is right.
    """

    __slots__ = (
        "checks", "dotted", "fast", "is_learned", "level", "levels", "message", "quick", "reshape", "source", "sources",
        "stack", "timestamp",
    )  # fmt: skip

    def __init__(self, table: FieldTable, log: Mapping[str, Any]) -> None:
        keys = {key.lower(): key for key in reversed(list(log))}
        self.reshape: Reshape | None = reshape_of(dict(log))
        self.message = _places(table.message, log, keys)
        self.level = _places(table.level, log, keys)
        self.source = _places(table.source, log, keys)
        self.timestamp = _places(table.timestamp, log, keys)
        self.stack = _places(table.stack, log, keys)
        self.levels: dict[Any, str] = {}
        self.sources: dict[Any, str] = {}
        nested = [_nested_before_flat(places) for places in (self.message, self.level, self.source, self.timestamp)]
        self.dotted = {f"{place.key}.{place.below[0]}" for place in self._all() if len(place.below) == 1}
        self.checks = tuple({place.key for places in (*nested, self.stack) for place in places})
        self.fast: tuple[str, str | None, str | None, str | None] | None = None
        message = _first_flat(self.message)
        if message is not None and self.reshape is None and "metadata" not in log:
            self.fast = (message, _first_flat(self.level), _first_flat(self.source), _first_flat(self.timestamp))
        self.quick = quick_way(log, self, self)
        self.is_learned = False

    def _all(self) -> tuple[Place, ...]:
        return (*self.message, *self.level, *self.source, *self.timestamp)


def quick_way(log: Mapping[str, Any], plan: Plan, flat: Plan) -> Quick | None:
    """The quick way for objects as this one, which is flat, or which becomes so by `flattened` and has the plan `flat`.

    `None` where a nested object holds what is no field.
    """
    if flat.fast is None or flat.fast[0] == "log" or flat.fast[0] not in log:
        return None
    places: list[tuple[str | None, str | None]] = []
    opened = set()
    for key in flat.fast:
        outer, _, name = (key or "").rpartition(".")
        if key is None or key in log:
            places.append((key, None))
        else:
            places.append((outer, name))
            opened.add(outer)
    nested = {key for key in plan.checks if type(log[key]) is dict} if plan is not flat else set()
    if nested != opened or places[3][1] is not None:
        return None
    (message, _), level, source, (time, _) = places
    others = tuple(key for key in {*plan.checks, *flat.checks} if key in log and key not in opened)
    return Quick(str(message), *level, *source, time, others, flat.levels, flat.sources)


def flattened(log: Mapping[str, Any], plan: Plan) -> dict[str, Any] | None:
    """An object such as `{"log": {"level": "info"}}` with `log.level` in place of what holds nothing else.

    `None` where an object that may hold a field holds other things, too.
    """
    flat = dict(log)
    for key in plan.checks:
        value = flat[key]
        if type(value) is not dict:
            continue
        if len(value) != 1:
            return None
        ((name, inner),) = value.items()
        dotted = f"{key}.{name}"
        if dotted not in plan.dotted or dotted in log or type(inner) is dict:
            return None
        del flat[key]
        flat[dotted] = inner
    return flat


def _places(names: Sequence[str], log: Mapping[str, Any], keys: Mapping[str, str]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(place for name in names for place in _places_of(name, log, keys)))


def _places_of(name: str, log: Mapping[str, Any], keys: Mapping[str, str]) -> Iterator[Place]:
    if name in log:
        yield Place(name.lower(), name)
    elif (lower := name.lower()) in keys:
        yield Place(lower, keys[lower])
    outer, *below = name.lower().split(".")
    # Keys may hold dots themselves: `a.b` with `c` below, `a` with `b.c` below.
    for length in range(len(below)):
        head = ".".join((outer, *below[:length]))
        if head in keys:
            yield Place(name.lower(), keys[head], tuple(below[length:]))


def _first_flat(places: Sequence[Place]) -> str | None:
    return next((place.key for place in places if not place.below), None)


def _nested_before_flat(places: Sequence[Place]) -> Iterator[Place]:
    for place in places:
        if not place.below:
            return
        yield place


class Plans:
    """The plans for the sets of keys in use, remembered. Bounded: clients choose the keys."""

    def __init__(self, table: FieldTable) -> None:
        self._table = table
        self._plans: dict[tuple[str, ...], Plan] = {}
        self.known = self._plans.get

    def make(self, log: Mapping[str, Any]) -> Plan:
        """A new plan for an object with these keys."""
        if len(self._plans) >= 2000:
            self._plans.clear()
        plan = self._plans[tuple(log)] = Plan(self._table, log)
        return plan
