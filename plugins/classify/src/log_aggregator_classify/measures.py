"""Numbers that the pattern masked: `Query took {TIME}s` and its message give the metadata `{TIME}: 0.05s`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from log_aggregator.model.number_texts import parse_number

MOST = 4
"""Values taken from one message."""

LONGEST = 40
"""Characters of a value; what is longer is no number with a unit."""

FRUITLESS_TRIES = 32
"""Messages without an amount, one after the other, after which a placeholder is not looked at any more."""

_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
_UNIT = re.compile(r" ?[A-Za-zµμ]{1,12}(?![A-Za-z])")


@lru_cache(maxsize=256)
def _certain_digits(unit: str) -> int:
    """The most digits that are an amount with a unit behind, whatever they are."""
    return max((some for some in range(16) if parse_number("9" * some + unit) is not None), default=0)


class Slot:
    """A placeholder whose value is taken: under which key, with which unit behind; how often in a row it was none."""

    __slots__ = ("digits", "fruitless", "key", "unit")

    def __init__(self, key: str, unit: str) -> None:
        self.key = key
        self.unit = unit
        self.fruitless = 0
        self.digits = _certain_digits(unit)
        """So many digits are an amount for certain."""


class Plan:
    """How to take values from messages of one pattern.

    A message begins with `start`, ends with `end`, and has the texts of `steps` between its values in their order;
    of each the first place is taken, so this is linear in the message. A step without text goes up to the end. A slot
    without an amount in `FRUITLESS_TRIES` messages in a row, such as a point in time, is given up: a plan without
    `slots` takes nothing any more.
    """

    def __init__(self, texts: Sequence[str], slots: Mapping[int, Slot]) -> None:
        self._start, self._end = texts[0], texts[-1]
        self._texts = [*texts[1:-1], ""]
        self._keep(slots)

    def take(self, message: str) -> dict[str, str]:
        """The values that are numbers, by key."""
        found: dict[str, str] = {}
        done = False
        for slot, text in zip(self.slots, self._cut(message) or self._nothing, strict=True):
            if len(text) <= slot.digits and text.isdecimal() and text.isascii():
                found[slot.key] = text + slot.unit
                slot.fruitless = 0
                continue
            value = text.replace(",", "") + slot.unit
            if len(text) <= LONGEST and parse_number(value) is not None:
                found[slot.key] = value
                slot.fruitless = 0
            else:
                slot.fruitless += 1
                done |= slot.fruitless >= FRUITLESS_TRIES
        if done:
            self._keep({place: slot for place, slot in self._places.items() if slot.fruitless < FRUITLESS_TRIES})
        return found

    def _cut(self, message: str) -> list[str] | None:
        """The texts in the slots; `None` when the message is not of the pattern."""
        if not message.startswith(self._start) or not message.endswith(self._end):
            return None
        values = []
        at = len(self._start)
        for text, is_wanted in self._steps:
            stop = message.find(text, at + 1) if text else len(message) - len(self._end)
            if stop < at:
                return None
            if is_wanted:
                values.append(message[at:stop])
            at = stop + len(text)
        return values

    def _keep(self, slots: Mapping[int, Slot]) -> None:
        """Look at these slots only, by place, and no further than to the last of them."""
        self._places = slots
        self.slots = tuple(slots.values())
        self._nothing = [""] * len(slots)
        self._steps = [(text, place in slots) for place, text in enumerate(self._texts[: max(slots, default=-1) + 1])]


def plan(pattern: str, names: Sequence[str]) -> Plan | None:
    """How to take the values of the placeholders `names` from messages of a pattern; `None`: there is nothing to take.

    A pattern in which placeholders touch says not where one value ends and the next begins.
    """
    parts = _PLACEHOLDER.split(pattern)
    texts, placeholders = tuple(parts[::2]), parts[1::2]
    if not any(name in names for name in placeholders) or "" in texts[1:-1]:
        return None
    slots: dict[int, Slot] = {}
    seen: dict[str, int] = {}
    for place, name in enumerate(placeholders):
        if name in names and len(slots) < MOST:
            seen[name] = seen.get(name, 0) + 1
            key = f"{{{name}}}" if seen[name] == 1 else f"{{{name} {seen[name]}}}"
            slots[place] = Slot(key, _unit_before(texts[place + 1]))
    return Plan(texts, slots)


def _unit_before(text: str) -> str:
    """The unit that the pattern kept: ` ms` of ` ms elapsed`."""
    match = _UNIT.match(text)
    return match[0] if match and parse_number("1" + match[0]) is not None else ""
