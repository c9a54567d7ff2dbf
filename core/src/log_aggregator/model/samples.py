"""Which original messages stand for a group: the first, the latest, and a fair choice between."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import msgspec


class Samples(msgspec.Struct, gc=False, frozen=True):
    """Distinct messages of one group: `messages[0]` is its first, `messages[latest]` its latest.

    The others are those whose checksums are lowest. A checksum does not care about order, and
    the lowest of two sets are the lowest of their lowest: so merging is associative and commutative
    although only a few messages are kept.
    """

    messages: tuple[str, ...] = ()
    latest: int = 0


def choose(first: str, latest: str, others: Iterable[str], most: int) -> Samples:
    """Keep `first`, `latest` and the fairest of `others`, at most `most` (at least 1) in all.

    The first and the latest take part in the choice too: a message that is first in one group may
    be an ordinary one in the merged group.
    """
    if most < 2:
        return Samples((first,), 0)
    between = [message for message in _lowest({first, latest, *others}, most - 2) if message not in (first, latest)]
    if first == latest:
        return Samples((first, *between), 0)
    return Samples((first, *between, latest), len(between) + 1)


def merge_samples(a: Samples, a_span: tuple[int, int], b: Samples, b_span: tuple[int, int], most: int) -> Samples:
    """Merge the samples of two groups; a span is the group's (first seen, last seen).

    At equal times the message that sorts first counts as the earlier one, whatever the order of
    merging.
    """
    if not a.messages or not b.messages:
        return a if a.messages else b
    first = min((a_span[0], a.messages[0]), (b_span[0], b.messages[0]))[1]
    latest = max((a_span[1], a.messages[a.latest]), (b_span[1], b.messages[b.latest]))[1]
    return choose(first, latest, {*a.messages, *b.messages}, most)


def _lowest(messages: set[str], most: int) -> list[str]:
    ranked = sorted((zlib.crc32(message.encode("utf-8", "surrogatepass")), message) for message in messages)
    return [message for _, message in ranked[:most]]
