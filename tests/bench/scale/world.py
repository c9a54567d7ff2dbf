"""The logs of a made-up world whose size is known: how many patterns, sources, keys, and how long a message."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

_SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
WORDS = [a + b for a, b in itertools.product(_SYLLABLES, repeat=2)]
"""4900 words that mean nothing: no rule and no category knows them."""

SPREAD = 20_000
"""Among how many logs those of one pattern are found. A thousand logs in a row then hold fifty new patterns."""

_TEXT_WORDS = 6
_encode = msgspec.json.Encoder().encode


class World(NamedTuple):
    """One point of an axis. Where an axis says nothing else, these are the sizes.

    A round sends every group `repeats` times. There are as many groups as patterns or sources, whichever are more.
    `length` is about the characters of a message; `names`: each message has a word that varies and that no rule
    knows. `plugins` do nothing. `connections` send side by side.
    """

    patterns: int = 500
    sources: int = 10
    batch: int = 1000
    keys: int = 2
    length: int = 100
    repeats: int = 20
    plugins: int = 0
    names: bool = False
    connections: int = 8

    @property
    def groups(self) -> int:
        """Rows of one flush."""
        return max(self.patterns, self.sources)

    @property
    def logs(self) -> int:
        """Logs of one round."""
        return self.groups * self.repeats


class Span(NamedTuple):
    """When the logs of the first round happened, in epoch seconds, and how long one round lasts."""

    start: float
    seconds: float


def rounds(world: World, seed: int = 1, span: Span | None = None) -> Iterator[list[bytes]]:
    """The bodies of one round after the other: the same patterns, other numbers. Without `span`, no timestamps."""
    draw = random.Random(seed)
    texts = [_text(world, number) for number in range(world.patterns)]
    for turn in itertools.count():
        logs = [_log(world, texts[number % world.patterns], number, draw) for number in _order(world, draw)]
        if span is not None:
            for at, log in enumerate(logs):
                log["timestamp"] = span.start + (turn + at / len(logs)) * span.seconds
        yield [_body(world, logs[at : at + world.batch]) for at in range(0, len(logs), world.batch)]


def _order(world: World, draw: random.Random) -> list[int]:
    """Which group each log belongs to. Groups come and go: each one's logs lie among `SPREAD` logs, about."""
    placed = sorted((at + draw.random() * SPREAD, at) for at in range(world.logs))
    return [at // world.repeats for _, at in placed]


def _text(world: World, number: int) -> str:
    """What all messages of a pattern share. Patterns differ in most of their words, as those of programs do."""
    draw = random.Random(number)
    count = min(_TEXT_WORDS, max(2, world.length // 8))
    return " ".join(draw.choice(WORDS) for _ in range(count))


def _log(world: World, text: str, number: int, draw: random.Random) -> dict[str, Any]:
    took, code = draw.randrange(100, 1000), draw.randrange(10_000, 100_000)  # equally wide, so that shapes come again
    message = f"{text} for {draw.choice(WORDS)} {code}" if world.names else f"{text} {code}"
    if len(message) + 12 < world.length:
        message += f" in {took} ms"
    if len(message) < world.length:
        message += _tail(number % world.patterns, world.length - len(message))
    log: dict[str, Any] = {"message": message, "level": "INFO", "source": f"source-{number % world.sources}"}
    if world.keys:
        log["metadata"] = {f"key{key}": _value(key, draw) for key in range(world.keys)}
    return log


def _value(key: int, draw: random.Random) -> int | str:
    return draw.randrange(1000) if key % 2 else WORDS[draw.randrange(50)]


def _tail(number: int, length: int) -> str:
    """Text that does not vary within a pattern; one word in twenty is a number, as in the dump of some state."""
    pieces: list[str] = []
    size = 0
    while size < length:
        at = len(pieces)
        piece = f" {number % 900 + 100}" if at % 20 == 19 else " " + WORDS[(number * 31 + at * 7) % len(WORDS)]
        pieces.append(piece)
        size += len(piece)
    return "".join(pieces)[:length].rstrip()


def _body(world: World, logs: list[dict[str, Any]]) -> bytes:
    return _encode(logs[0] if world.batch == 1 else {"logs": logs})
