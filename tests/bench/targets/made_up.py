"""Made-up logs of exactly so many patterns, each with numbers in it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import msgspec

PATTERNS = 3000
SOURCES = 10
_WORDS = 6000
_CONSONANTS, _VOWELS = "klmnprstvz", "aeiou"


def templates(count: int = PATTERNS, seed: int = 1) -> list[dict[str, str]]:
    """`count` logs with `{}` twice in their message; no two have words in common at more than a place or two.

    Words that are this different are no variants of each other: neither rules nor learning make them one pattern.
    """
    draw = random.Random(seed)
    words = list({_word(draw) for _ in range(_WORDS)})
    words.sort()
    made = []
    for number in range(count):
        chosen = [draw.choice(words) for _ in range(5 + number % 5)]
        message = " ".join([*chosen[:3], "{}", *chosen[3:], "after {} ms"])
        made.append({"message": message, "level": "INFO", "source": source(number)})
    return made


def source(number: int) -> str:
    """Where the logs of a template come from."""
    return f"service-{'abcdefghij'[number % SOURCES]}"


def logs(count: int) -> Iterator[dict[str, str]]:
    """`count` logs; each has a number of its own, and the templates take turns."""
    turns = itertools.cycle(templates())
    for number, template in zip(range(count), turns, strict=False):
        yield template | {"message": template["message"].format(number, number % 997)}


def bodies(count: int, size: int) -> list[bytes]:
    """`count` request bodies of `size` logs each."""
    made = logs(count * size)
    return [msgspec.json.encode({"logs": list(itertools.islice(made, size))}) for _ in range(count)]


def _word(draw: random.Random) -> str:
    return "".join(draw.choice(_CONSONANTS) + draw.choice(_VOWELS) for _ in range(draw.choice((2, 3, 4))))
