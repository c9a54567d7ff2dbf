"""The lines that benchmarks send: real messages where they are at hand, else the demo; digits drawn anew."""

from __future__ import annotations

import csv
import itertools
import random

import msgspec

from log_aggregator_service.demo import stream
from tests.support.beside import REAL_LINES

_DIGITS = "0123456789"


Log = dict[str, str]


def logs(count: int, seed: int = 1) -> list[Log]:
    """`count` logs; the digits of their messages are drawn anew, so lines do not repeat but shapes do."""
    known = _real() if REAL_LINES.is_dir() else _made_up(seed)
    draw = random.Random(seed)
    return [
        log | {"message": _scramble(log["message"], draw)} for log in itertools.islice(itertools.cycle(known), count)
    ]


def name() -> str:
    """Which lines these are, for the table."""
    return "messages of seven real systems" if REAL_LINES.is_dir() else "demo stream"


def bodies(count: int, size: int, *, lines: bool = False, seed: int = 1) -> list[bytes]:
    """`count` request bodies of `size` logs each: one JSON object, `{"logs": [...]}`, or NDJSON."""
    sent = iter(logs(count * size, seed))
    out = []
    for _ in range(count):
        batch = list(itertools.islice(sent, size))
        if lines:
            out.append(b"\n".join(map(msgspec.json.encode, batch)))
        else:
            out.append(msgspec.json.encode(batch[0] if size == 1 else {"logs": batch}))
    return out


def scrambled(line: str, but: str, draw: random.Random) -> str:
    """The line with the digits around `but` drawn anew."""
    before, _, after = line.partition(but)
    return _scramble(before, draw) + but + _scramble(after, draw)


def redrawn(line: str, draw: random.Random) -> str:
    """The line with its digits drawn anew."""
    return _scramble(line, draw)


def _scramble(line: str, draw: random.Random) -> str:
    return "".join(draw.choice(_DIGITS) if char in _DIGITS else char for char in line)


def _made_up(seed: int) -> list[Log]:
    made = itertools.islice(stream(seed=seed), 4000)
    return [{key: log[key] for key in ("message", "level", "source")} for log in made]


def _real() -> list[Log]:
    columns = []
    for path in sorted(REAL_LINES.glob("*/*.csv")):
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            columns.append(
                [
                    {"message": row["Content"], "level": row.get("Level") or "INFO", "source": path.parent.name}
                    for row in csv.DictReader(file)
                ]
            )
    return [log for group in itertools.zip_longest(*columns) for log in group if log]
