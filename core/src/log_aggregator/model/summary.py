"""How the metadata of many logs becomes one bounded summary, and how two summaries merge.

The JSON form (`to_json`) is what the stores keep in the column `metadata` and what sinks get; it is
also the whole state: `from_json` reads it back. Merging is associative and commutative, exactly: see
`values` for the values of a key and `numbers` for the statistics of those that are numbers. The only
chance in it is drawn when logs are folded, never when summaries merge.

In memory a summary is packed: thousands of groups gather, wait and are remembered at once, and as objects
each would take seven times as much.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from log_aggregator.model.nested import gather_nested
from log_aggregator.model.number_texts import NumberColumn, numbers_of, read_numbers
from log_aggregator.model.numbers import Numbers
from log_aggregator.model.values import Count, Values, fold, lowest_keys, merge_values, values_from_json, values_to_json

MAX_KEYS = 32
"""Metadata keys kept per group; of more, those whose checksums are lowest."""

MAX_KEY_LENGTH = 128
"""Characters of a key that are kept; a longer one ends in its checksum, so that it stays distinct."""

MAX_VALUE_LENGTH = 128
"""Characters of a value that are kept. Values that differ only beyond count as one."""


_MOST_COLUMNS = 8 * MAX_KEYS
"""Columns that wait to be summarized; with more, those that cannot be kept are left out."""

_encoder = msgspec.msgpack.Encoder()
_values_decoder = msgspec.msgpack.Decoder(Values)
_numbers_decoder: msgspec.msgpack.Decoder[Numbers | None] = msgspec.msgpack.Decoder(Numbers | None)


def packed(value: Any) -> bytes:
    """`value` as msgpack, to be kept: copied, because the encoder leaves room behind what it wrote."""
    return bytes(memoryview(_encoder.encode(value)))


class KeySummary(msgspec.Struct, gc=False, frozen=True, eq=False):
    """What one metadata key looked like: `count` logs had it, with these `values`, packed until asked for."""

    count: int
    packed_values: msgspec.Raw = msgspec.field(name="values")
    packed_numbers: msgspec.Raw = msgspec.field(name="numbers")

    @classmethod
    def of(cls, count: int, values: Values, numbers: Numbers | None = None) -> KeySummary:
        """Pack what is known of a key. Raises `UnicodeEncodeError` for a value that is no proper text."""
        return cls(count, msgspec.Raw(packed(values)), msgspec.Raw(packed(numbers)))

    @property
    def values(self) -> Values:
        """The values that came; a new object at each call."""
        return _values_decoder.decode(self.packed_values)

    @property
    def numbers(self) -> Numbers | None:
        """The statistics of those that are numbers; a new object at each call."""
        return _numbers_decoder.decode(self.packed_numbers)

    def __eq__(self, other: object) -> bool:
        """Whether both say the same, in whatever order it was packed."""
        if not isinstance(other, KeySummary):
            return NotImplemented
        return (self.count, self.values, self.numbers) == (other.count, other.values, other.numbers)

    __hash__ = None  # type: ignore[assignment]  # like a list: equal ones may be packed differently


Summary = dict[str, KeySummary]

Columns = dict[str, list[Any]]
"""The values of some logs' metadata by key."""


def summarize(metadata: Iterable[Mapping[str, Any]], weight: int = 1) -> Summary:
    """Summarize the metadata objects of some logs of one group, each of which stands for `weight` logs."""
    columns: Columns = {}
    gather(columns, metadata)
    return extended({}, columns, weight)


def gather(columns: Columns, metadata: Iterable[Mapping[str, Any]]) -> None:
    """Put the values of some logs' metadata into `columns`: a fifth of what the objects take.

    What is nested stands under dotted keys: `{"res": {"statusCode": 503}}` under `res.statusCode`.
    """
    for entry in metadata:
        for key, value in entry.items():
            if (type(value) is dict or type(value) is list) and value:
                gather_nested(columns, key, value)
                continue
            column = columns.get(key)
            if column is None:
                columns[key] = [value]
            else:
                column.append(value)
        if len(columns) > _MOST_COLUMNS:
            _thin(columns)


def _thin(columns: Columns) -> None:
    """Leave out the columns that no summary would keep: other keys with lower checksums are there already."""
    if not {str}.issuperset(map(type, columns)):  # a plugin left something else: found when it is summarized
        return
    kept = set(lowest_keys({_short_key(key) for key in columns}, MAX_KEYS))
    for key in [key for key in columns if _short_key(key) not in kept]:
        del columns[key]


def extended(known: Summary, columns: Columns, weight: int = 1) -> Summary:
    """A new summary of `known` and more logs: the same as merging with theirs, but packed once.

    Each value counts `weight` times.
    """
    merged = dict(known)
    if len(known) + len(columns) > MAX_KEYS:
        _thin(columns)
    for long_key, column in columns.items():
        key = _short_key(long_key)
        merged[key] = _added(merged.get(key), len(column) * weight, *_read(column, weight))
    return _bounded(merged)


def extended_by_counts(known: Summary, counts: Mapping[str, Mapping[str, int]]) -> Summary:
    """As `extended`, of how often each text came under each key."""
    merged = dict(known)
    for long_key, of_key in counts.items():
        key = _short_key(long_key)
        numbers = read_numbers(of_key, str)
        merged[key] = _added(merged.get(key), sum(of_key.values()), _texts_of(of_key, str), numbers)
    return _bounded(merged)


def _added(known: KeySummary | None, count: int, texts: Mapping[str, int], column: NumberColumn | None) -> KeySummary:
    """A key with more logs: how often each text came, and the numbers among them."""
    if known is None:
        return KeySummary.of(count, fold(texts), Numbers.of(column) if column else None)
    values, numbers = known.values, known.numbers
    values.add(texts)
    if column is not None:
        if numbers is None:
            numbers = Numbers.of(column)
        else:
            numbers.add(column)
    return KeySummary.of(known.count + count, values, numbers)


def merge_summaries(a: Summary, b: Summary) -> Summary:
    """Merge two summaries into a new one; neither is changed."""
    if not a or not b:
        return a or b
    merged = dict(a)
    for key, summary in b.items():
        known = merged.get(key)
        merged[key] = summary if known is None else KeySummary.of(*_merged(_unpacked(known), _unpacked(summary)))
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


_Parts = tuple[int, Values, Numbers | None]


def _unpacked(entry: KeySummary) -> _Parts:
    return entry.count, entry.values, entry.numbers


def _merged(a: _Parts, b: _Parts) -> _Parts:
    numbers = a[2].merged(b[2]) if a[2] and b[2] else a[2] or b[2]
    return a[0] + b[0], merge_values(a[1], b[1]), numbers


def _read(values: list[Any], weight: int) -> tuple[Mapping[str, int], NumberColumn | None]:
    """How often each text came in a column, and its numbers."""
    kinds = set(map(type, values))
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind not in _COUNTED:
        pairs = [(value, count * weight) for value, count in _distinct(values)]
        return _texts(pairs), numbers_of(pairs)
    counts: dict[Any, int] = Counter(values)
    if weight != 1:
        counts = {value: count * weight for value, count in counts.items()}
    return _texts_of(counts, kind), read_numbers(counts, kind, once=weight == 1 and len(counts) == len(values))


def _distinct(values: list[Any]) -> Iterator[tuple[Any, int]]:
    """The different values and how often each came, equal ones taken together where that is cheap and safe.

    `1`, `1.0` and `True` are equal for Python but not for readers, so types are counted apart.
    """
    together = Counter((type(value), value) for value in values if type(value) in _COUNTED)
    yield from ((value, count) for (_, value), count in together.items())
    yield from ((value, 1) for value in values if type(value) not in _COUNTED)


def _texts_of(counts: Mapping[Any, int], kind: type | None) -> Mapping[str, int]:
    """How often each text came. Texts and whole numbers of usual length, which are most, need no second look."""
    if kind is str and max(map(len, counts)) <= MAX_VALUE_LENGTH:
        return counts
    if kind is int and max(map(len, found := list(map(str, counts)))) <= MAX_VALUE_LENGTH:
        return dict(zip(found, counts.values(), strict=True))
    return _texts(counts.items())


def _texts(pairs: Iterable[tuple[Any, int]]) -> dict[str, int]:
    texts: dict[str, int] = {}
    for value, count in pairs:
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
    count, values, numbers = _unpacked(entry)
    out = {"count": count, **values_to_json(values, count)}
    if numbers is not None:
        out["numbers"] = numbers.to_json()
    return out


def _key_from_json(stored: Any) -> KeySummary | None:
    if not isinstance(stored, Mapping):
        return None
    try:
        return KeySummary.of(
            msgspec.convert(stored.get("count"), Count), values_from_json(stored), _numbers(stored.get("numbers"))
        )
    except msgspec.ValidationError:
        return None


def _numbers(stored: Any) -> Numbers | None:
    try:
        return Numbers.from_json(stored) if stored is not None else None
    except msgspec.ValidationError:
        return None
