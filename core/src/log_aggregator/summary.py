"""How the metadata of many logs becomes one bounded summary, and how two summaries merge.

The JSON form (`to_json`) is what the stores keep in the column `metadata` and what sinks get; it is
also the whole state: `from_json` reads it back. Merging is associative and commutative, exactly: see
`values` for the values of a key and `numbers` for the statistics of those that are numbers. The only
chance in it is drawn when logs are folded, never when summaries merge.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from log_aggregator.numbers import Numbers, parse_number
from log_aggregator.values import Count, Values, fold, lowest_keys, merge_values, values_from_json, values_to_json

MAX_KEYS = 32
"""Metadata keys kept per group; of more, those whose checksums are lowest."""

MAX_KEY_LENGTH = 128
"""Characters of a key that are kept; a longer one ends in its checksum, so that it stays distinct."""

MAX_VALUE_LENGTH = 128
"""Characters of a value that are kept. Values that differ only beyond count as one."""


class KeySummary(msgspec.Struct, gc=False):
    """What one metadata key looked like: `count` logs had it, with these values."""

    count: int
    values: Values
    numbers: Numbers | None = None


Summary = dict[str, KeySummary]


def summarize(metadata: Iterable[Mapping[str, Any]]) -> Summary:
    """Summarize the metadata objects of some logs of one group."""
    columns: dict[str, list[Any]] = {}
    for entry in metadata:
        for key, value in entry.items():
            column = columns.get(key)
            if column is None:
                columns[key] = [value]
            else:
                column.append(value)
    return _bounded({_short_key(key): _summarize_values(values) for key, values in columns.items()})


def merge_summaries(a: Summary, b: Summary) -> Summary:
    """Merge two summaries into a new one; neither is changed."""
    if not a or not b:
        return a or b
    merged = dict(a)
    for key, summary in b.items():
        known = merged.get(key)
        merged[key] = summary if known is None else _merge_key(known, summary)
    return _bounded(merged)


def to_json(summary: Summary) -> dict[str, Any]:
    """The JSON object of a summary, with derived figures (distinct, mean, quantiles) for readers."""
    return {key: _key_to_json(entry) for key, entry in sorted(summary.items())}


def from_json(stored: Mapping[str, Any] | None) -> Summary:
    """Read a summary back; never raises.

    What is not of its form (another program wrote to the row) is left out: a key, or its `numbers` alone. What is left
    can be merged and rendered.
    """
    if not isinstance(stored, Mapping):
        return {}
    read = {key: _key_from_json(entry) for key, entry in stored.items() if len(key) <= MAX_KEY_LENGTH}
    return _bounded({key: entry for key, entry in read.items() if entry is not None})


def _merge_key(a: KeySummary, b: KeySummary) -> KeySummary:
    numbers = a.numbers.merged(b.numbers) if a.numbers and b.numbers else a.numbers or b.numbers
    return KeySummary(a.count + b.count, merge_values(a.values, b.values), numbers)


def _summarize_values(values: list[Any]) -> KeySummary:
    if len(values) == 1:
        number = parse_number(values[0])
        return KeySummary(1, fold({_text(values[0]): 1}), Numbers.of([(*number, 1)]) if number else None)
    kinds = set(map(type, values))
    distinct = _distinct(values, kinds)
    numbers = [(*number, count) for value, count in distinct if (number := parse_number(value)) is not None]
    return KeySummary(len(values), fold(_texts(distinct, kinds)), Numbers.of(numbers) if numbers else None)


def _distinct(values: list[Any], kinds: set[type]) -> Collection[tuple[Any, int]]:
    """Each value with how often it came, equal ones taken together where that is cheap and safe.

    `1`, `1.0` and `True` are equal for Python but not for readers, so types are counted apart.
    """
    if len(kinds) == 1:
        return Counter(values).items() if kinds <= _COUNTED else [(value, 1) for value in values]
    together = Counter((type(value), value) for value in values if type(value) in _COUNTED)
    return [
        *((value, count) for (_, value), count in together.items()),
        *((value, 1) for value in values if type(value) not in _COUNTED),
    ]


def _texts(distinct: Collection[tuple[Any, int]], kinds: set[type]) -> dict[str, int]:
    """How often each text came. Texts and whole numbers of usual length, which are most, need no second look."""
    if len(kinds) == 1 and kinds <= {str, int}:
        texts = dict(distinct) if str in kinds else {str(value): count for value, count in distinct}
        if max(map(len, texts)) <= MAX_VALUE_LENGTH:
            return texts
    texts = {}
    for value, count in distinct:
        text = _text(value)
        texts[text] = texts.get(text, 0) + count
    return texts


_COUNTED = {str, int, float, bool, type(None)}


def _text(value: Any) -> str:
    if type(value) is str:
        text = value
    elif type(value) is int:
        text = str(value)
    else:
        text = _json_text(value + 0.0 if isinstance(value, float) else value)  # minus zero is zero
    return text if len(text) <= MAX_VALUE_LENGTH else text[:MAX_VALUE_LENGTH] + "…"


def _json_text(value: Any) -> str:
    try:
        return msgspec.json.encode(value, order="sorted", enc_hook=str).decode()
    except (UnicodeEncodeError, TypeError):
        return ascii(value)


def _short_key(key: str) -> str:
    if len(key) <= MAX_KEY_LENGTH:
        return key
    return f"{key[: MAX_KEY_LENGTH - 9]}…{zlib.crc32(key.encode('utf-8', 'surrogatepass')):08x}"


def _bounded(summary: Summary) -> Summary:
    if len(summary) <= MAX_KEYS:
        return summary
    return {key: summary[key] for key in lowest_keys(summary, MAX_KEYS)}


def _key_to_json(entry: KeySummary) -> dict[str, Any]:
    out = {"count": entry.count, **values_to_json(entry.values, entry.count)}
    if entry.numbers is not None:
        out["numbers"] = entry.numbers.to_json()
    return out


def _key_from_json(stored: Any) -> KeySummary | None:
    if not isinstance(stored, Mapping):
        return None
    try:
        return KeySummary(
            msgspec.convert(stored.get("count"), Count), values_from_json(stored), _numbers(stored.get("numbers"))
        )
    except msgspec.ValidationError:
        return None


def _numbers(stored: Any) -> Numbers | None:
    try:
        return Numbers.from_json(stored) if stored is not None else None
    except msgspec.ValidationError:
        return None
