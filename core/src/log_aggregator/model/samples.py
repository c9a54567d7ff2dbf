"""Which original logs stand for a group: the first, the latest, and a fair choice of messages between."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

MAX_METADATA = 1024
"""Bytes of JSON that are kept of a sample's metadata; of more, the keys that fit, in their order."""

MAX_VALUE = 256
"""Characters of a text in them, when not all of the metadata fits."""


class Sample(NamedTuple):
    """One log: its time (microseconds), message and metadata (the JSON text of an object; empty: none, or not known).

    Level and source are those of its aggregate. Samples are ordered by time, then by text.
    """

    time: int
    message: str
    metadata: str = ""


class Detail(msgspec.Struct, gc=False, frozen=True, array_like=True, omit_defaults=True):
    """Time and metadata of a sample, beside its message. `earliest`: those of the first log with that message.

    Only the latest sample has an `earliest`, and only where merging needs it.
    """

    time: int
    metadata: str = ""
    earliest: tuple[int, str] | None = None


class Samples(msgspec.Struct, gc=False, frozen=True):
    """Distinct messages of one group: `messages[0]` is its first, `messages[latest]` its latest.

    The others are those whose checksums are lowest. A checksum does not care about order, and the lowest of two sets
    are the lowest of their lowest: so merging is associative and commutative although only a few messages are kept.

    `details` has an entry for each message, or none at all (rows from before, rows of other programs). Equal messages
    are one sample: its detail is that of the first such log, for the latest sample that of the latest log.
    """

    messages: tuple[str, ...] = ()
    latest: int = 0
    details: tuple[Detail, ...] = ()

    def logs(self, first_seen: int, last_seen: int) -> list[Sample]:
        """The samples, oldest first. Without details, times are those of the group: of the latest `last_seen`."""
        details = self._details(first_seen, last_seen)
        return sorted(Sample(d.time, m, d.metadata) for m, d in zip(self.messages, details, strict=True))

    def occurrences(self, first_seen: int, last_seen: int) -> list[Sample]:
        """Every log that is known: the samples, the first log, and the earliest one with the latest message."""
        found = [*self.logs(first_seen, last_seen), self.first_log(first_seen, last_seen)]
        if self.details and (earliest := self.details[self.latest].earliest) is not None:
            found.append(Sample(earliest[0], self.messages[self.latest], earliest[1]))
        return found

    def first_log(self, first_seen: int, last_seen: int) -> Sample:
        """The first log."""
        message = self.messages[0]
        detail = self._details(first_seen, last_seen)[0]
        # With one message, its only entry is of its latest log. Without details, nothing but the time is known.
        time, metadata = detail.earliest or ((detail.time, detail.metadata) if self.details else (first_seen, ""))
        return Sample(time, message, metadata)

    def latest_log(self, first_seen: int, last_seen: int) -> Sample:
        """The latest log."""
        detail = self._details(first_seen, last_seen)[self.latest]
        return Sample(detail.time, self.messages[self.latest], detail.metadata)

    def _details(self, first_seen: int, last_seen: int) -> tuple[Detail, ...]:
        if self.details or not self.messages:
            return self.details
        # A microsecond keeps the first message the first, whatever order of texts decides at equal times.
        times = [first_seen, *[first_seen + 1] * (len(self.messages) - 1)]
        times[self.latest] = max(last_seen, times[self.latest])
        return tuple(map(Detail, times))


def choose(first: Sample, latest: Sample, others: Iterable[Sample], most: int) -> Samples:
    """Keep `first`, `latest` and the fairest of `others`, at most `most` (at least 1) in all.

    The first and the latest take part in the choice too: a message that is first in one group may be an ordinary one
    in the merged group.
    """
    if most < 2:
        return Samples((first.message,), 0, (Detail(first.time, first.metadata),))
    earliest = {latest.message: latest, first.message: first}
    for log in (latest, *others):
        known = earliest.get(log.message)
        if known is None or log < known:
            earliest[log.message] = log
    fair = _lowest(earliest, most - 2)
    between = [earliest[message] for message in fair if message not in (first.message, latest.message)]
    kept = [log for log in (first, *between) if log.message != latest.message]
    again = earliest[latest.message]
    is_needed = again != latest and (latest.message == first.message or latest.message in fair)
    of_latest = Detail(latest.time, latest.metadata, (again.time, again.metadata) if is_needed else None)
    details = [Detail(log.time, log.metadata) for log in kept]
    messages = [log.message for log in kept]
    if latest.message == first.message:
        return Samples((latest.message, *messages), 0, (of_latest, *details))
    return Samples((*messages, latest.message), len(messages), (*details, of_latest))


def merge_samples(a: Samples, a_span: tuple[int, int], b: Samples, b_span: tuple[int, int], most: int) -> Samples:
    """Merge the samples of two groups; a span is the group's (first seen, last seen).

    At equal times the message that sorts first counts as the earlier one, whatever the order of merging.
    """
    if not a.messages or not b.messages:
        return a if a.messages else b
    first = min(a.first_log(*a_span), b.first_log(*b_span))
    latest = max(a.latest_log(*a_span), b.latest_log(*b_span))
    return choose(first, latest, [*a.occurrences(*a_span), *b.occurrences(*b_span)], most)


def metadata_text(metadata: Mapping[str, Any]) -> str:
    """The metadata of a sample as bounded JSON text that every database takes; empty when it cannot be encoded."""
    if not metadata:
        return ""
    try:
        text = msgspec.json.encode(metadata).decode()
        if len(text) > MAX_METADATA or "\\u0000" in text:
            text = msgspec.json.encode(_bounded(metadata)).decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        return ""
    return text


def _bounded(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    left = MAX_METADATA - 2
    for key, value in metadata.items():
        short = _clean(value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…") if type(value) is str else value
        size = len(msgspec.json.encode({key: short}))
        if size > left or b"\\u0000" in msgspec.json.encode(short):
            continue
        kept[_clean(key)] = short
        left -= size
    return kept


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _lowest(messages: Iterable[str], most: int) -> list[str]:
    ranked = sorted((zlib.crc32(message.encode("utf-8", "surrogatepass")), message) for message in messages)
    return [message for _, message in ranked[:most]]
