"""A template: its parts, its text, and which earlier templates it took over."""

from __future__ import annotations

from collections.abc import Sequence

from log_aggregator_templates.evidence import Evidence
from log_aggregator_templates.widening import widen


class Template:
    """One pattern. `text` is what a record gets; it is always that of the template it was merged into.

    `separators`, `words` and `texts` are those of `tokens.Line`. `learned` holds the places whose
    words were found to be variable, `evidence` why. `published` lists the texts that records may carry from before.
    """

    __slots__ = (
        "evidence",
        "followers",
        "learned",
        "published",
        "root",
        "separators",
        "text",
        "texts",
        "used",
        "words",
    )

    def __init__(self, separators: tuple[str, ...], words: tuple[str, ...], texts: Sequence[str]) -> None:
        self.separators = separators
        self.words = words
        self.texts = tuple(texts)
        self.learned: frozenset[int] = frozenset()
        self.evidence: dict[int, Evidence] | None = None
        self.root = self
        self.followers: list[Template] = []
        self.published: list[str] = []
        self.used = 0
        self.text = ""

    def find(self) -> Template:
        """The template that this one was merged into, or itself."""
        template = self
        while template.root is not template:
            template = template.root
        return template

    def show(self, texts: Sequence[str]) -> bool:
        """Let the variable parts cover `texts` too; True when that changes what is shown."""
        if self.texts == tuple(texts):
            return False
        wider = tuple(map(widen, self.texts, texts))
        changed = wider != self.texts
        self.texts = wider
        return changed

    def take_over(self, other: Template) -> None:
        """Become the root of `other`, which is a root, and of all that follow it."""
        other.root = self
        self.followers.append(other)
        self.followers.extend(other.followers)
        self.published.extend(text for text in other.published if text not in self.published)
        self.used = max(self.used, other.used)
        other.followers = []
        other.published = []

    def render(self) -> str:
        """The text of the template as its parts are now."""
        pieces = []
        for separator, text in zip(self.separators, self.texts, strict=False):
            pieces.append(separator)
            pieces.append(text)
        pieces.append(self.separators[-1])
        return "".join(pieces)
