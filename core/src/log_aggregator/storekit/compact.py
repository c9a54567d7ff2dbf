"""The details of old rows as short JSON: what the samples or the listed values say already is left out.

Most groups have a few logs in an hour or a day. Where all of them are samples, their metadata says what the summary of
the metadata says. Where all values of a key are listed, its numbers follow from them. The draws of such values are made
when they are read, from the value and its place instead of by chance: equal bytes always say the same.
"""

from __future__ import annotations

import hashlib
import math

import msgspec

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.model.number_texts import read_numbers
from log_aggregator.model.numbers import Numbers
from log_aggregator.model.samples import Detail, Samples
from log_aggregator.model.summary import KeySummary, Summary, summarize
from log_aggregator.model.values import Values
from log_aggregator.storekit.columns import decoded

_MICROS = 1_000_000
_NONE = msgspec.Raw(b'""')


class _Key(msgspec.Struct, array_like=True):
    """The summary of a key that does not follow from its values."""

    count: int
    values: Values
    numbers: Numbers | None


class _Keys(msgspec.Struct, array_like=True, omit_defaults=True, frozen=True):
    """A summary. `listed`: the values of keys, as a list where each came once."""

    listed: dict[str, list[str] | dict[str, int]] = {}
    others: dict[str, _Key] = {}


class _Log(msgspec.Struct, array_like=True, omit_defaults=True):
    """A sample. Times are in microseconds since the bucket began; those of `Samples` without details are missing."""

    message: str
    time: int | None = None
    metadata: msgspec.Raw = _NONE
    earliest: tuple[int, msgspec.Raw] | None = None


class _Compact(msgspec.Struct, array_like=True, omit_defaults=True):
    """An aggregate. `metadata` is missing where the samples say it."""

    level: str
    source: str
    count: int
    bucket: int
    first_seen: int
    last_seen: int
    pattern: str
    samples: list[_Log]
    variables: _Keys = _Keys()
    metadata: _Keys | None = None
    latest: int = 0
    group: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Compact)


def to_compact(aggregate: Aggregate) -> bytes | None:
    """An aggregate as JSON; `None` for one that this form cannot hold."""
    if aggregate.categories or aggregate.tags or aggregate.minutes:
        return None
    start, samples = aggregate.bucket * _MICROS, aggregate.samples
    try:
        followed = _alike(_of_samples(samples), aggregate.metadata) and _are_all(samples, aggregate.count)
        return _encoder.encode(
            _Compact(
                aggregate.level, aggregate.source, aggregate.count, aggregate.bucket, aggregate.first_seen - start,
                aggregate.last_seen - start, aggregate.pattern, _logs(samples, start), _keys(aggregate.variables),
                None if followed else _keys(aggregate.metadata), samples.latest, aggregate.group,
            )
        )  # fmt: skip
    except UnicodeEncodeError:  # a lone surrogate
        return None


def from_compact(text: bytes) -> Aggregate:
    """The aggregate of such a JSON. Raises `ValueError` (a `msgspec.ValidationError` is one) for another."""
    read = _decoder.decode(text)
    start = read.bucket * _MICROS
    samples = _samples(read, start)
    place = f"{read.bucket}:{read.level}:{read.source}:{read.pattern}:{read.group}"
    metadata = _drawn_again(_of_samples(samples), place) if read.metadata is None else _summary(read.metadata, place)
    return Aggregate(
        read.bucket, read.pattern, read.level, read.source, read.count, read.first_seen + start,
        read.last_seen + start, read.group, metadata, samples, variables=_summary(read.variables, place),
    )  # fmt: skip


def _logs(samples: Samples, start: int) -> list[_Log]:
    if not samples.details:
        return [_Log(message) for message in samples.messages]
    return [
        _Log(
            message, detail.time - start, _raw(detail.metadata),
            None if detail.earliest is None else (detail.earliest[0] - start, _raw(detail.earliest[1])),
        )
        for message, detail in zip(samples.messages, samples.details, strict=True)
    ]  # fmt: skip


def _samples(read: _Compact, start: int) -> Samples:
    messages = tuple(log.message for log in read.samples)
    details = tuple(
        Detail(
            log.time + start, _text(log.metadata),
            None if log.earliest is None else (log.earliest[0] + start, _text(log.earliest[1])),
        )
        for log in read.samples
        if log.time is not None
    )  # fmt: skip
    if len(details) not in (0, len(messages)) or not 0 <= read.latest < max(1, len(messages)):
        raise ValueError("samples and their details are not of one number")
    return Samples(messages, read.latest, details)


def _raw(metadata: str) -> msgspec.Raw:
    """The text of an object as it is, any other text as a JSON text."""
    is_object = metadata.startswith("{") and isinstance(decoded(metadata), dict)
    return msgspec.Raw(metadata.encode() if is_object else _encoder.encode(metadata))


def _text(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode()
    return text if text.startswith("{") else msgspec.json.decode(text, type=str)


def _are_all(samples: Samples, count: int) -> bool:
    """Whether all logs are samples."""
    return len(samples.details) == count and all(detail.earliest is None for detail in samples.details)


def _of_samples(samples: Samples) -> Summary:
    found = (decoded(detail.metadata) for detail in samples.details)
    return summarize(one for one in found if isinstance(one, dict))


def _alike(one: Summary, other: Summary) -> bool:
    """Whether two summaries list the same values: draws are not looked at."""
    return one.keys() == other.keys() and all(_is_alike(one[key], other[key]) for key in one)


def _is_alike(one: KeySummary, other: KeySummary) -> bool:
    mine, others = one.values, other.values
    return (
        (one.count, mine.kept, one.numbers) == (other.count, others.kept, other.numbers)
        and mine.complete
        and others.complete
    )


def _keys(summary: Summary) -> _Keys:
    keys = _Keys({}, {})
    for key, entry in summary.items():
        values = entry.values
        if _is_alike(entry, _listed(values.kept)):
            is_once = all(count == 1 for count in values.kept.values())
            keys.listed[key] = list(values.kept) if is_once else values.kept
        else:
            keys.others[key] = _Key(entry.count, values, entry.numbers)
    return keys


def _summary(keys: _Keys, place: str) -> Summary:
    summary = {
        key: _listed(dict.fromkeys(listed, 1) if isinstance(listed, list) else listed)
        for key, listed in keys.listed.items()
    }
    summary = _drawn_again(summary, place)
    return summary | {key: KeySummary.of(one.count, one.values, one.numbers) for key, one in keys.others.items()}


def _listed(kept: dict[str, int]) -> KeySummary:
    """The summary of a key all of whose values are listed, without draws."""
    numbers = read_numbers(kept, str)
    return KeySummary.of(sum(kept.values()), Values(kept), Numbers.of(numbers) if numbers else None)


def _drawn_again(summary: Summary, place: str) -> Summary:
    """With the draws of listed values: ln(count) plus a Gumbel number, see `values`."""
    return {
        key: KeySummary.of(
            entry.count,
            Values(
                kept := entry.values.kept,
                {value: _draw(value, count, f"{place}:{key}") for value, count in kept.items()},
            ),
            entry.numbers,
        )
        for key, entry in summary.items()
    }


def _draw(value: str, count: int, place: str) -> float:
    digest = hashlib.blake2b(f"{place}={value}".encode(), digest_size=6).digest()
    chance = (int.from_bytes(digest, "big") + 0.5) / 2**48
    return math.floor((math.log(count) - math.log(-math.log(chance))) * 10_000 + 0.5) / 10_000
