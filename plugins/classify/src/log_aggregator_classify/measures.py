"""Numbers that the pattern masked: `Query took {TIME}s` and its message give the metadata `{TIME}: 0.05s`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from log_aggregator.numbers import parse_number

MOST = 4
"""Values taken from one message."""

LONGEST = 40
"""Characters of a value; what is longer is no number with a unit."""

_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
_UNIT = re.compile(r" ?[A-Za-zµμ]{1,12}(?![A-Za-z])")


class Slot(NamedTuple):
    """A placeholder whose value is taken: under which key, with which unit behind."""

    key: str
    unit: str


class Plan(NamedTuple):
    """How to take values from messages of one pattern.

    `regex` finds the texts between the placeholders one after the other and, by atomic groups, never goes back: it
    is linear in the message. It has one group a slot. A message must end with `end`.
    """

    regex: re.Pattern[str]
    end: str
    slots: tuple[Slot, ...]

    def take(self, message: str) -> dict[str, str]:
        """The values that are numbers, by key."""
        found: dict[str, str] = {}
        match = self.regex.match(message) if message.endswith(self.end) else None
        if match is not None:
            for (key, unit), text in zip(self.slots, match.groups(), strict=True):
                if len(text) <= LONGEST:
                    value = text.replace(",", "") + unit
                    if parse_number(value) is not None:
                        found[key] = value
        return found


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
    return Plan(_expression(texts, slots), texts[-1], tuple(slots.values()))


def _expression(texts: Sequence[str], slots: Collection[int]) -> re.Pattern[str]:
    """Matches what comes before and between the texts, up to the last value that is wanted."""
    parts = [re.escape(texts[0])]
    for place in range(max(slots) + 1):
        is_last = place == len(texts) - 2
        value, end = (".*", r"\Z") if is_last else (".+?", "")
        text = re.escape(texts[place + 1])
        parts.append(f"(?>{f'({value})' if place in slots else value}{text}{end})")
    return re.compile("".join(parts), re.DOTALL)


def _unit_before(text: str) -> str:
    """The unit that the pattern kept: ` ms` of ` ms elapsed`."""
    match = _UNIT.match(text)
    return match[0] if match and parse_number("1" + match[0]) is not None else ""
