"""Numbers that the pattern masked: `Query took {TIME}s` and its message give the metadata `{TIME}: 0.05s`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from log_aggregator.numbers import parse_number

MOST = 4
"""Values taken from one message."""

LONGEST = 40
"""Characters of a value; what is longer is no number with a unit."""

_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
_UNIT = re.compile(r" ?[A-Za-zµμ]{1,12}(?![A-Za-z])")
_TAKE = str.maketrans("", "", ",")


class Slot(NamedTuple):
    """A placeholder whose value is taken: which one of the pattern's, under which key, with which unit behind."""

    place: int
    key: str
    unit: str


class Plan(NamedTuple):
    """How to take values from messages of one pattern: the texts between its placeholders, and the slots."""

    texts: tuple[str, ...]
    slots: tuple[Slot, ...]

    def take(self, message: str) -> dict[str, str]:
        """The values that are numbers, by key. Looks for the texts one after the other, never back: linear."""
        found: dict[str, str] = {}
        texts = self.texts
        if not (message.startswith(texts[0]) and message.endswith(texts[-1])):
            return found
        at = len(texts[0])
        slots = iter(self.slots)
        slot = next(slots)
        last = len(texts) - 1
        for index in range(1, last + 1):
            text = texts[index]
            end = len(message) - len(text) if index == last else message.find(text, at + 1)
            if end < at:
                return found
            if slot.place == index:
                value = message[at:end]
                if len(value) <= LONGEST:
                    value = value.translate(_TAKE) + slot.unit
                    if parse_number(value) is not None:
                        found[slot.key] = value
                following = next(slots, None)
                if following is None:
                    return found
                slot = following
            at = end + len(text)
        return found


def plan(pattern: str, names: Sequence[str]) -> Plan | None:
    """How to take the values of the placeholders `names` from messages of a pattern; `None`: there is nothing to take.

    A pattern in which placeholders touch says not where one value ends and the next begins.
    """
    parts = _PLACEHOLDER.split(pattern)
    texts, placeholders = tuple(parts[::2]), parts[1::2]
    if not any(name in names for name in placeholders) or "" in texts[1:-1]:
        return None
    slots: list[Slot] = []
    seen: dict[str, int] = {}
    for index, name in enumerate(placeholders, 1):
        if name in names and len(slots) < MOST:
            seen[name] = seen.get(name, 0) + 1
            key = f"{{{name}}}" if seen[name] == 1 else f"{{{name} {seen[name]}}}"
            slots.append(Slot(index, key, _unit_before(texts[index])))
    return Plan(texts, tuple(slots))


def _unit_before(text: str) -> str:
    """The unit that the pattern kept: ` ms` of ` ms elapsed`."""
    match = _UNIT.match(text)
    return match[0] if match and parse_number("1" + match[0]) is not None else ""
