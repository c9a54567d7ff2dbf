"""Lines through a miner, and what they belong to in the end."""

from __future__ import annotations

from collections.abc import Iterable

from log_aggregator_templates import TemplateMiner

NAMES = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "gina",
    "hugo",
    "ivan",
    "judy",
    "karl",
    "lena",
    "mia",
    "nils",
    "olga",
    "paul",
    "rita",
    "sven",
    "tina",
    "uwe",
]


class Learner:
    """A miner with the table of aliases that it emitted."""

    def __init__(self, miner: TemplateMiner | None = None, **options: int) -> None:
        self.aliases: dict[str, str] = {}
        self.miner = miner or TemplateMiner(**options)
        self.miner.on_change = self.aliases.__setitem__

    def first_sight(self, lines: Iterable[str], source: str = "") -> list[str]:
        """What each line belongs to when it comes."""
        return [self.miner.template(line, source) for line in lines]

    def final(self, text: str) -> str:
        """What stands for a text now: its alias, followed to the end."""
        seen = set()
        while text in self.aliases and text not in seen:
            seen.add(text)
            text = self.aliases[text]
        return text


def learn(lines: Iterable[str]) -> list[str]:
    """The final templates of the lines, in order."""
    learner = Learner()
    return [learner.final(text) for text in learner.first_sight(lines)]
