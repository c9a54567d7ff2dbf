"""What people say about patterns: which words stay, which vary, which are one pattern. It wins over what is learned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from log_aggregator.model.variables import variable_names, variables_of

ByHand = Literal["keep", "split", "merge"]
"""What can be said of one pattern over HTTP."""

Kind = Literal["keep", "vary", "merge", "split"]

LONGEST = 4096
_MOST_REMEMBERED = 20_000
_PLACEHOLDER = re.compile(r"\{([A-Z][A-Z0-9_]{0,31})\}")
_LEARNED = re.compile(r"(?:VAR|STR|LIST)(?:\.\d+)?")
"""Names of placeholders behind which words stand that no rule masks."""


def is_learned(name: str) -> bool:
    """Is it the name of a placeholder behind which words stand?"""
    return _LEARNED.fullmatch(name) is not None


class Wish(BaseModel):
    """What the configuration says of a pattern: `keep` and `vary` are lists of these.

    A line is of the pattern when it has its words, and any text for each placeholder. Of `variables`, see
    `log_aggregator.model.variables.variable_names`; without them all that were learned are meant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str = Field(min_length=1, max_length=LONGEST, description="the text of a pattern")
    sources: tuple[str, ...] = Field((), description="only logs of these sources; * is allowed; empty: of all")
    variables: tuple[str, ...] = Field((), description="placeholders whose words stay; empty: all learned ones")

    @model_validator(mode="after")
    def _names_its_variables(self) -> Wish:
        known = variable_names(self.pattern)
        for name in self.variables:
            if name not in known:
                raise ValueError(f"variables: {name!r} is none of the pattern; expected some of: {', '.join(known)}")
        return self


class Correction(Wish):
    """A wish with its kind, and who had it when. `into` is the pattern that a merged one belongs to."""

    id: str = ""
    kind: Kind = "keep"
    into: str = ""
    at: int = 0
    by: str = ""
    undone_at: int | None = None
    undone_by: str = ""

    def covers(self, source: str) -> bool:
        """Is it said of this source?"""
        return not self.sources or any(fnmatchcase(source, glob) for glob in self.sources)

    def pattern_of(self, masked: str) -> str | None:
        """The pattern that a line gets by it; `None` when it is not of this pattern."""
        values = variables_of(self.pattern, masked)
        if not values and masked != self.pattern:
            return None
        if self.kind == "merge":
            return self.into
        return self.pattern if self.kind == "vary" else self._with_words(values)

    def _with_words(self, values: dict[str, str]) -> str:
        """The pattern with the words of a line in the places that are kept."""
        kept = set(self.variables) or set(filter(is_learned, values))
        names = iter(variable_names(self.pattern))
        pieces: list[str] = []
        at, is_kept = 0, False
        for found in _PLACEHOLDER.finditer(self.pattern):
            before = self.pattern[at : found.start()]
            if at and not before:  # a neighbor: the first of them stands for both
                pieces.append("" if is_kept else found[0])
            else:
                name = next(names, "")
                is_kept = name in kept and name in values
                pieces += [before, values[name] if is_kept else found[0]]
            at = found.end()
        return "".join([*pieces, self.pattern[at:]])


class Corrections:
    """All that holds, in the order in which it is asked: by hand, the newest first, then the configuration."""

    def __init__(self, keep: Sequence[Wish], vary: Sequence[Wish]) -> None:
        self._configured = [_of("keep", wish) for wish in keep] + [_of("vary", wish) for wish in vary]
        self.by_hand: tuple[Correction, ...] = ()
        self._known: dict[tuple[str, str], Correction | None] = {}
        self._in_force: list[tuple[str, Correction]] = []
        self.use(())

    @property
    def any(self) -> bool:
        """Is there anything to ask?"""
        return bool(self._in_force)

    def use(self, by_hand: Sequence[Correction]) -> None:
        """Take what was said by hand, the oldest first."""
        self.by_hand = tuple(by_hand)
        standing = [one for one in reversed(self.by_hand) if one.undone_at is None]
        self._in_force = [(_longest_text(one.pattern), one) for one in (*standing, *self._configured)]
        self._known = {}

    def find(self, masked: str, source: str) -> Correction | None:
        """What is said of a line; `None` when nothing is."""
        key = (masked, source)
        if key in self._known:
            return self._known[key]
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        found = None
        if len(masked) <= LONGEST:
            fits = (
                one
                for text, one in self._in_force
                if text in masked and one.covers(source) and one.pattern_of(masked) is not None
            )
            found = next(fits, None)
        self._known[key] = found
        return found


def _of(kind: Kind, wish: Wish) -> Correction:
    return Correction(kind=kind, **wish.model_dump())


def _longest_text(pattern: str) -> str:
    """The longest text of a pattern between placeholders: a line without it is not of the pattern."""
    return max(re.split(r"\{[A-Z][A-Z0-9_]{0,31}\}", pattern), key=len)
