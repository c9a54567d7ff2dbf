"""The rows of a made-up installation: 20,000 patterns and 200 sources by Zipf, ten metadata keys drawn for each log."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate

import msgspec

from log_aggregator.model.samples import Detail, Samples, merge_samples
from log_aggregator.model.summary import summarize
from log_aggregator.sinks import Aggregate

PATTERNS, SOURCES, BUCKET = 20_000, 200, 300
MAX_SAMPLES = 5
_MICROS = 1_000_000
_LEVELS = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR")
_PATHS = ("/api/orders", "/api/users", "/api/items", "/login", "/health", "/static/app.js")
_REGIONS = ("eu-1", "eu-2", "us-1", "ap-1")


def _shares(size: int, power: float) -> list[float]:
    return list(accumulate(1 / rank**power for rank in range(1, size + 1)))


_PATTERN_SHARES, _SOURCE_SHARES = _shares(PATTERNS, 1.0), _shares(SOURCES, 1.0)
_PATTERN_RANGE, _SOURCE_RANGE = range(PATTERNS), range(SOURCES)


def metadata_of(chance: random.Random) -> dict[str, object]:
    """Ten keys: ids that never come again, some that do, numbers, durations."""
    return {
        "request_id": f"{chance.getrandbits(64):016x}",
        "user_id": chance.randrange(50_000),
        "duration": f"{chance.expovariate(0.02):.1f}ms",
        "bytes": chance.randrange(100_000),
        "status": chance.choice((200, 200, 200, 201, 304, 404, 500)),
        "path": chance.choice(_PATHS),
        "region": chance.choice(_REGIONS),
        "host": f"node-{chance.randrange(40)}",
        "version": f"4.{chance.randrange(3)}.{chance.randrange(10)}",
        "session": f"{chance.getrandbits(32):08x}",
    }


def bucket_of(start: int, logs: int, seed: int, most: int = PATTERNS) -> Iterator[Aggregate]:
    """What the pipeline makes of so many logs, of `most` patterns, in five minutes from `start` (epoch seconds) on."""
    chance = random.Random(seed)
    groups: dict[tuple[int, int], int] = {}
    patterns = chance.choices(_PATTERN_RANGE[:most], cum_weights=_PATTERN_SHARES[:most], k=logs)
    sources = chance.choices(_SOURCE_RANGE, cum_weights=_SOURCE_SHARES, k=logs)
    for pattern, source in zip(patterns, sources, strict=True):
        # A pattern is logged by a few programs.
        key = (pattern, (pattern * 7 + source % 5) % SOURCES)
        groups[key] = groups.get(key, 0) + 1
    for (pattern, source), count in groups.items():
        yield _aggregate(chance, start, pattern, source, count)


def _aggregate(chance: random.Random, start: int, pattern: int, source: int, count: int) -> Aggregate:
    shown = min(count, 2000)
    times = sorted(start * _MICROS + chance.randrange(BUCKET * _MICROS) for _ in range(count))
    logs = [metadata_of(chance) for _ in range(shown)]
    numbers = [str(chance.randrange(100_000)) for _ in range(shown)]
    samples, seen = Samples(), (times[0], times[0])
    for place in range(min(shown, 8)):
        text = msgspec.json.encode(logs[place]).decode()
        one = Samples((f"Worker {pattern} took order {numbers[place]} of the queue",), 0, (Detail(times[place], text),))
        samples = merge_samples(samples, seen, one, (times[place], times[place]), MAX_SAMPLES) if place else one
        seen = (times[0], times[place])
    minutes = [0] * 5
    for moment in times:
        minutes[(moment // _MICROS - start) // 60] += 1
    while not minutes[-1]:
        minutes.pop()
    return Aggregate(
        start, f"Worker {pattern} took order {{ID}} of the queue", _LEVELS[pattern % len(_LEVELS)],
        f"service-{source}", count, times[0], times[-1], "", summarize(logs), samples,
        {"queue": count}, {"worker": count}, tuple(minutes), summarize({"ID": number} for number in numbers),
    )  # fmt: skip
