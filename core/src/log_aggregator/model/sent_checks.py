"""Aggregates that another service sends, checked as strictly as logs and put into this service's buckets."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from log_aggregator.model.aggregate import Aggregate, Alias
from log_aggregator.model.fields.construct import fields_of
from log_aggregator.model.fields.timestamps import EARLIEST, LEEWAY
from log_aggregator.model.samples import MAX_METADATA, Detail, Samples
from log_aggregator.model.sent_summary import checked_summary
from log_aggregator.model.values import MOST
from log_aggregator.model.variables import variable_names

MAX_SAMPLES = 100
"""Samples of one aggregate."""

MAX_NAMES = 64
"""Categories, and tags, of one aggregate."""

MAX_NAME = 256
MAX_GROUP = 512
MINUTE = 60

_US = 1_000_000
_ID = re.compile(r"[0-9a-f]{16}")


def misfit(sent: int, own: int) -> str | None:
    """Why buckets of `sent` seconds cannot be put into buckets of `own` seconds; `None` when they can."""
    if sent > 0 and own % sent == 0:
        return None
    return f"bucket: {sent} s; expected AGGREGATION_BUCKET={own} there, or a divisor of it"


def checked(sent: Aggregate, bucket: int, own: int, now: int) -> Aggregate:
    """An aggregate of buckets of `bucket` seconds, checked and in a bucket of `own` seconds.

    Texts are folded, limited and repaired as those of logs. Times that cannot be believed become `now` (microseconds),
    as those of logs do. Raises `ValueError` with the reason when it cannot be taken, which holds no text of a log.
    """
    pattern, level, source, *_ = fields_of(sent.pattern, level=sent.level, source=sent.source)
    if not 1 <= sent.count <= MOST:
        raise ValueError("count: out of range")
    begin = sent.bucket * _US
    if sent.bucket % bucket or not begin <= sent.first_seen <= sent.last_seen < begin + bucket * _US:
        raise ValueError("first_seen, last_seen: not in the bucket")
    if len(sent.group) > MAX_GROUP:
        raise ValueError(f"group: more than {MAX_GROUP} characters")
    names = variable_names(pattern)
    believed = sent.first_seen >= EARLIEST and sent.last_seen <= now + LEEWAY
    first, last = (sent.first_seen, sent.last_seen) if believed else (now, now)
    start = first // _US // own * own
    return Aggregate(
        bucket=start,
        pattern=pattern,
        level=level,
        source=source,
        count=sent.count,
        first_seen=first,
        last_seen=last,
        group=sent.group,
        metadata=checked_summary(sent.metadata),
        samples=_samples(sent, first, last),
        categories=_names(sent.categories, sent.count),
        tags=_names(sent.tags, sent.count),
        minutes=_minutes(sent, bucket, own, start) if believed else (),
        variables=checked_summary({name: entry for name, entry in sent.variables.items() if name in names}),
    )


def checked_alias(sent: Alias, now: int) -> Alias:
    """An alias that another service sends. Raises `ValueError` when it cannot be taken."""
    if _ID.fullmatch(sent.old_id) is None:
        raise ValueError("old_id: expected 16 hex digits")
    pattern = fields_of(sent.pattern)[0] if sent.pattern else ""
    return Alias(sent.old_id, pattern, sent.at if EARLIEST <= sent.at <= now + LEEWAY else now)


def _minutes(sent: Aggregate, bucket: int, own: int, start: int) -> tuple[int, ...]:
    """The counts by minute of the bucket that it is put into; empty where this service counts none, or none came."""
    if any(count < 0 for count in sent.minutes) or sum(sent.minutes) > sent.count:
        raise ValueError("minutes: expected counts that do not exceed the count")
    if len(sent.minutes) > max(1, bucket // MINUTE):
        raise ValueError("minutes: more than the bucket has")
    if not (MINUTE < own <= 60 * MINUTE and own % MINUTE == 0):
        return ()
    before = (sent.bucket - start) // MINUTE
    if sent.minutes:
        return (*[0] * before, *sent.minutes)
    in_one = MINUTE % bucket == 0 or sent.first_seen // _US // MINUTE == sent.last_seen // _US // MINUTE
    return (*[0] * ((sent.first_seen // _US - start) // MINUTE), sent.count) if in_one else ()


def _names(sent: Mapping[str, int], count: int) -> dict[str, int]:
    if len(sent) > MAX_NAMES:
        raise ValueError(f"categories, tags: more than {MAX_NAMES} of one kind")
    for name, logs in sent.items():
        if not 0 < len(name) <= MAX_NAME or not 1 <= logs <= count:
            raise ValueError("categories, tags: a name or count out of range")
    return dict(sent)


def _samples(sent: Aggregate, first: int, last: int) -> Samples:
    samples = sent.samples
    messages = tuple([fields_of(message)[0] for message in samples.messages])
    if len(messages) > MAX_SAMPLES or len(set(messages)) != len(messages):
        raise ValueError(f"samples: expected at most {MAX_SAMPLES} distinct messages")
    if (messages or samples.latest) and not 0 <= samples.latest < len(messages):
        raise ValueError("samples: latest is none of them")
    if len(samples.details) not in (0, len(messages)):
        raise ValueError("samples: expected details of all messages, or of none")
    return Samples(messages, samples.latest, tuple([_detail(detail, first, last) for detail in samples.details]))


def _detail(sent: Detail, first: int, last: int) -> Detail:
    earliest = sent.earliest
    if earliest is not None:
        earliest = (min(max(earliest[0], first), last), _object_text(earliest[1]))
    return Detail(min(max(sent.time, first), last), _object_text(sent.metadata), earliest)


def _object_text(text: str) -> str:
    """The JSON text of a sample's metadata; empty when it is none."""
    if not text or len(text) > 2 * MAX_METADATA:
        return ""
    try:
        return text if isinstance(msgspec.json.decode(text), dict) else ""
    except (msgspec.DecodeError, RecursionError):
        return ""
