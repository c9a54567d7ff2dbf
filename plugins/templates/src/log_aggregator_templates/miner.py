"""Lines in, template texts out: what is remembered per line, and how much of everything is kept."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from log_aggregator_templates.book import Book, Change
from log_aggregator_templates.exclusions import Exclusions
from log_aggregator_templates.frames import Frames
from log_aggregator_templates.template import Template
from log_aggregator_templates.tokens import cut

OVERFLOW = "{OVERFLOW}"
"""The pattern of lines that would need a template beyond the caps. Their totals stay exact."""


class TemplateMiner:
    """Learns templates from masked lines, one line at a time.

    `max_templates` caps all templates, `max_per_source` those that one source brought in. Beyond them a
    line that needs a new one gets `OVERFLOW`; from time to time those make room that were not used and
    taught nothing. Lines of more than 4096 characters stay as they are.
    `on_change(earlier, now)` is called when another text stands for an earlier one from now on.
    """

    def __init__(
        self,
        max_templates: int = 10_000,
        max_per_source: int = 2_000,
        exclusions: Exclusions | None = None,
        on_change: Callable[[str, str], None] | None = None,
    ) -> None:
        self.book = Book()
        self.recent: dict[str, Template] = {}
        self.on_change = on_change
        self.overflowed = 0
        self.changes = 0
        self.dirty = False
        self.by_source: dict[str, int] = {}
        self._before: dict[str, Template] = {}
        self._max_templates = max_templates
        self._max_per_source = max_per_source
        self._max_recent = 2 * max_templates
        self._exclusions = exclusions or Exclusions((), ())
        self._frames = Frames()
        self._age = 1
        self._refused = 0

    def template(self, masked: str, source: str = "") -> str:
        """The template text of a masked line."""
        template = self.recent.get(masked) or self.learn(masked, source)
        return template.text if template else OVERFLOW

    def learn(self, masked: str, source: str) -> Template | None:
        """The template of a masked line that is not in `recent`; None when it is beyond the caps."""
        if len(masked) > _LONGEST:
            return _alone(masked)
        template = self._before.pop(masked, None)
        if template is None:
            template = self._place(masked, source)
            if template is None:
                self.overflowed += 1
                return None
        self._remember(masked, template)
        return template

    def stands_for(self, masked: str) -> str | None:
        """The text that stands for an earlier one now; None when it stands for itself or is not known."""
        line = cut(masked)
        template = self.book.find(line)
        if template is None:
            return None
        root = template.find()
        return root.text if masked in root.published and masked != root.text else None

    def adopt(self, template: Template) -> None:
        """Take a template in that was saved by another run."""
        self.book.put(template)

    def _place(self, masked: str, source: str) -> Template | None:
        line, frame = self._frames.cut(masked)
        if self._exclusions.line(line.separators, line.words):
            return _alone(masked)
        template = self.book.find(line)
        if template is not None:
            if frame is None or not frame.is_shown(template):
                self._tell(self.book.show(template, line))
                if frame is not None:
                    frame.note(template)
            return template
        if self.by_source.get(source, 0) >= self._max_per_source or not self._has_room():
            return None
        count = self.book.count
        template, changes = self.book.add(line)
        self.by_source[source] = max(0, self.by_source.get(source, 0) + self.book.count - count)
        self.dirty = True
        self._tell(changes)
        return template

    def _remember(self, masked: str, template: Template) -> None:
        if len(self.recent) >= self._max_recent:
            self._turn_over()
        template.used = self._age
        self.recent[masked] = template

    def _turn_over(self) -> None:
        """Start a new age: what is seen again moves into it, what is not is forgotten with the next."""
        self._before, self.recent = self.recent, {}
        self._age += 1

    def _has_room(self) -> bool:
        if self.book.count < self._max_templates:
            return True
        self._refused += 1
        if self._refused % self._max_templates:
            return False
        self._turn_over()
        unused = (one for one in self.book if one.find().used < self._age - 2 and not one.find().learned)
        idle = list(islice(unused, max(1, self._max_templates // _SHARE)))
        self.book.forget(idle)
        if idle:
            self.by_source = {}
            self.dirty = True
        return self.book.count < self._max_templates

    def _tell(self, changes: list[Change]) -> None:
        if not changes:
            return
        self.dirty = True
        self.changes += len(changes)
        if self.on_change is not None:
            for earlier, now in changes:
                self.on_change(earlier, now)


_LONGEST = 4096
_SHARE = 10
"""One part in so many is forgotten at a time: it happens between two batches, so it must be short."""


def _alone(masked: str) -> Template:
    template = Template(("", ""), (masked,), (masked,))
    template.text = masked
    return template
