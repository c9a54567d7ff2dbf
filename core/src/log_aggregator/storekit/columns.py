"""How an aggregate lies in the columns of a row, and how it is read back."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec

from log_aggregator.model.aggregate import Aggregate, Key
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import from_json, to_json
from log_aggregator.model.values import MOST

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


class Columns(NamedTuple):
    """The merged columns of a row as JSON texts. `None` means: what is stored (or nothing) stays.

    `sample_messages` is a JSON array of strings; `latest_sample` is the position of the latest of them.
    """

    metadata: str | None
    sample_messages: str | None
    latest_sample: int
    categories: str | None
    category: str
    tags: str | None


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
        _samples(sample_messages, latest_sample if isinstance(latest_sample, int) else 0),
        counts_of(categories),
        counts_of(tags),
    )


def counts_of(text: str | bytes | None) -> dict[str, int]:
    """A JSON object of counts; entries of another form are left out."""
    return {name: count for name, count in _object(text).items() if type(count) is int and 0 < count <= MOST}


def messages_of(text: str | bytes | None) -> list[str]:
    """A JSON array of messages; entries of another form are left out."""
    found = decoded(text)
    return [message for message in found if isinstance(message, str)] if isinstance(found, list) else []


def _samples(text: str | bytes | None, latest: int) -> Samples:
    messages = tuple(messages_of(text))
    return Samples(messages, min(max(latest, 0), max(len(messages) - 1, 0)))


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
