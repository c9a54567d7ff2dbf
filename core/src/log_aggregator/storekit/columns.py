"""How an aggregate lies in the columns of a row, and how it is read back."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, NamedTuple

import msgspec

from log_aggregator.model.aggregate import Aggregate, Key
from log_aggregator.model.samples import MAX_METADATA, Detail, Samples
from log_aggregator.model.summary import from_json, to_json
from log_aggregator.model.values import MOST

MOST_MINUTES = 1440
"""Minutes of a row that are believed when it is read back."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


class Columns(NamedTuple):
    """The merged columns of a row as JSON texts. `None` means: what is stored (or nothing) stays.

    `sample_messages` is a JSON array of strings; `latest_sample` is the position of the latest of them.
    `sample_details` is a JSON array with an object for each of these: `time` in microseconds, `metadata`, and where
    merging needs it `earliest` with the same two. `minutes` is a JSON array of counts, `variables` is like `metadata`.
    """

    metadata: str | None
    sample_messages: str | None
    latest_sample: int
    categories: str | None
    category: str
    tags: str | None
    minutes: str | None = None
    variables: str | None = None
    sample_details: str | None = None


def group_key(key: Key) -> bytes:
    """16 bytes that stand for level, source and group: a unique index stays small with them.

    BLAKE2b; the lengths keep the parts apart, so no two keys share a text.
    """
    text = f"{len(key.level)}:{key.level}{len(key.source)}:{key.source}{key.group}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def changed_columns(merged: Aggregate, stored: Aggregate | None) -> Columns:
    """The columns of `merged` that differ from `stored`; without `stored`, those that hold something."""
    return Columns(
        _text(to_json(merged.metadata)) if _changed(merged, stored, "metadata") else None,
        _text(merged.samples.messages) if _samples_changed(merged, stored) else None,
        merged.samples.latest,
        _text(merged.categories) if _changed(merged, stored, "categories") else None,
        merged.category,
        _text(merged.tags) if _changed(merged, stored, "tags") else None,
        _text(merged.minutes) if _changed(merged, stored, "minutes") else None,
        _text(to_json(merged.variables)) if _changed(merged, stored, "variables") else None,
        _details_text(merged.samples) if _samples_changed(merged, stored) else None,
    )


def stored_aggregate(
    key: Key,
    pattern: str,
    count: int | None,
    first_seen: int | None,
    last_seen: int | None,
    metadata: str | bytes | None,
    sample_messages: str | bytes | None,
    latest_sample: int | None,
    categories: str | bytes | None = None,
    tags: str | bytes | None = None,
    minutes: str | bytes | None = None,
    variables: str | bytes | None = None,
    sample_details: str | bytes | None = None,
) -> Aggregate:
    """Read a row back; never raises.

    JSON that is not of our form (another program wrote to the row) counts as empty, a missing count as 0, a missing
    time as the other one.
    """
    return Aggregate(
        key.bucket,
        pattern,
        key.level,
        key.source,
        count or 0,
        next((seen for seen in (first_seen, last_seen) if seen is not None), 0),
        next((seen for seen in (last_seen, first_seen) if seen is not None), 0),
        key.group,
        from_json(_object(metadata)),
        _samples(sample_messages, latest_sample if isinstance(latest_sample, int) else 0, sample_details),
        counts_of(categories),
        counts_of(tags),
        minutes_of(minutes, count or 0),
        from_json(_object(variables)),
    )


def counts_of(text: str | bytes | None) -> dict[str, int]:
    """A JSON object of counts; entries of another form are left out."""
    return {name: count for name, count in _object(text).items() if type(count) is int and 0 < count <= MOST}


def messages_of(text: str | bytes | None) -> list[str]:
    """A JSON array of messages; entries of another form are left out."""
    found = decoded(text)
    return [message for message in found if isinstance(message, str)] if isinstance(found, list) else []


def minutes_of(text: str | bytes | None, count: int) -> tuple[int, ...]:
    """A JSON array of the counts of minutes; empty when it is of another form, or says more than the row's `count`."""
    found = decoded(text)
    if not isinstance(found, list) or not 0 < len(found) <= MOST_MINUTES:
        return ()
    if not all(type(logs) is int and 0 <= logs <= MOST for logs in found) or not found[-1] or sum(found) > count:
        return ()
    return tuple(found)


class _Log(msgspec.Struct, omit_defaults=True):
    time: Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


class _Detail(_Log, omit_defaults=True):
    earliest: _Log | None = None


_details_decoder = msgspec.json.Decoder(list[_Detail])


def _details_text(samples: Samples) -> str | None:
    """The details as JSON. Their metadata is JSON already."""
    if not samples.details:
        return None
    return _text(
        [
            _Detail(d.time, _raw(d.metadata), None if d.earliest is None else _Log(d.earliest[0], _raw(d.earliest[1])))
            for d in samples.details
        ]
    )


def _raw(metadata: str) -> msgspec.Raw:
    return msgspec.Raw(metadata.encode("utf-8", "replace") or b"{}")


def _samples(text: str | bytes | None, latest: int, details: str | bytes | None) -> Samples:
    messages = tuple(messages_of(text))
    latest = min(max(latest, 0), max(len(messages) - 1, 0))
    return Samples(messages, latest, _details(details, len(messages)))


def _details(text: str | bytes | None, messages: int) -> tuple[Detail, ...]:
    """The details of so many messages; none when the text is of another form or number."""
    if not text:
        return ()
    try:
        found = _details_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ()
    if len(found) != messages:
        return ()
    return tuple(
        [
            Detail(log.time, _metadata(log), None if log.earliest is None else _of_earliest(log.earliest))
            for log in found
        ]
    )


def _of_earliest(log: _Log) -> tuple[int, str]:
    return log.time, _metadata(log)


def _metadata(log: _Log) -> str:
    """The JSON text of an object as it was written; empty for anything else."""
    text = bytes(log.metadata).decode("utf-8", "replace")
    return text if text.startswith("{") and text != "{}" and len(text) <= 2 * MAX_METADATA else ""


def _object(text: str | bytes | None) -> dict[str, Any]:
    found = decoded(text)
    return found if isinstance(found, dict) else {}


def decoded(text: str | bytes | None) -> Any:
    """The JSON value of a text; `None` for what is no JSON, or nested without end."""
    if not text:
        return None
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _text(value: Any) -> str:
    return _encoder.encode(value).decode()


def _changed(merged: Aggregate, stored: Aggregate | None, name: str) -> bool:
    value = getattr(merged, name)
    return bool(value) and (stored is None or value is not getattr(stored, name))


def _samples_changed(merged: Aggregate, stored: Aggregate | None) -> bool:
    return bool(merged.samples.messages) and (stored is None or merged.samples != stored.samples)
