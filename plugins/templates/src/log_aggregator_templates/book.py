"""All templates of an instance: where a line belongs, and what changes when it arrives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from log_aggregator_templates.bucket import Bucket
from log_aggregator_templates.outline import Outline, covers, is_bare, outline
from log_aggregator_templates.template import Template
from log_aggregator_templates.tokens import VARIABLE, Line, shown_when_learned
from log_aggregator_templates.widening import VAR, widen

Change = tuple[str, str]
"""An earlier text and the text that stands for it now."""


class Book:
    """Templates in buckets, merged when the evidence says so. Knows nothing of records or files."""

    def __init__(self) -> None:
        self.count = 0
        self._buckets: dict[tuple[str, ...], Bucket] = {}
        self._outlines: dict[tuple[str, ...], list[Template]] = {}

    def __iter__(self) -> Iterator[Template]:
        for bucket in self._buckets.values():
            yield from bucket.templates.values()

    def find(self, line: Line) -> Template | None:
        """The template that covers a line, or None."""
        bucket = self._buckets.get(line.separators)
        return bucket.find(line.words) if bucket else None

    def show(self, template: Template, line: Line) -> list[Change]:
        """Let a template cover a line; what changed."""
        if not template.show(_opened(template, line)):
            return []
        if template.find() is not template:
            return []
        return self._settle(template, {id(template): template})

    def add(self, line: Line) -> tuple[Template, list[Change]]:
        """Take a line in that no template covers: the new template and what changed by it."""
        bucket = self._buckets.get(line.separators)
        if bucket is None:
            bucket = self._buckets[line.separators] = Bucket(line.separators)
        template = Template(bucket.separators, line.words, line.texts)
        template.text = template.render()
        self._put(bucket, template)
        touched: dict[int, Template] = {}
        for general, covered in bucket.generalize(template):
            self._merge(general, covered, touched)
        root = template.find()
        touched[id(root)] = root
        return root, self._settle(root, touched)

    def put(self, template: Template) -> None:
        """Put a template back that was saved."""
        bucket = self._buckets.get(template.separators)
        if bucket is None:
            bucket = self._buckets[template.separators] = Bucket(template.separators)
        template.separators = bucket.separators
        self._put(bucket, template)
        if template.root is template:
            self._index(template)

    def forget(self, templates: Iterable[Template]) -> None:
        """Drop templates: their ids stay what they are, since an id follows from the text."""
        for template in templates:
            bucket = self._buckets[template.separators]
            bucket.remove(template)
            self.count -= 1
            if not bucket.templates:
                del self._buckets[template.separators]
            found = self._outlines.get(outline(template.text).key)
            if found and template in found:
                found.remove(template)

    def _put(self, bucket: Bucket, template: Template) -> None:
        bucket.add(template)
        self.count += 1

    def _merge(self, general: Template, covered: list[Template], touched: dict[int, Template]) -> None:
        if not general.text:
            general.text = general.render()
            self.count += 1
        self.count -= len(covered)
        for other in covered:
            root, mine = other.find(), general.find()
            if root is mine:
                continue
            if root.separators != mine.separators and _is_more_general(root.text, mine.text):
                root, mine = mine, root
            mine.take_over(root)
        touched[id(general.find())] = general.find()

    def _settle(self, root: Template, touched: dict[int, Template]) -> list[Change]:
        """Render what was touched, after a last look for templates that say the same in other separators."""
        self._join_by_outline(root, touched)
        return [change for one in touched.values() if one.root is one for change in self._publish(one)]

    def _publish(self, root: Template) -> list[Change]:
        """Render a root anew; every text that records carry from before leads to the new one."""
        before = root.text
        text = root.render()
        root.text = text
        for follower in root.followers:
            follower.text = text
        if text not in root.published:
            root.published.append(text)
        if before != text:
            self._unindex(root, before)
        self._index(root)
        return [(earlier, text) for earlier in root.published if earlier != text]

    def _index(self, root: Template) -> None:
        known = self._outlines.setdefault(outline(root.text).key, [])
        if root not in known:
            known.append(root)

    def _unindex(self, root: Template, text: str) -> None:
        key = outline(text).key
        known = self._outlines.get(key)
        if known and root in known:
            known.remove(root)
            if not known:
                del self._outlines[key]

    def _join_by_outline(self, root: Template, touched: dict[int, Template]) -> None:
        mine = outline(root.render())
        if mine.held < 2:
            return
        for other in list(self._outlines.get(mine.key, ())):
            if other.root is not other or other is root:
                continue
            theirs = outline(other.text)
            if covers(theirs, mine):
                general, special = other, root
            elif covers(mine, theirs):
                general, special = root, other
            else:
                continue
            if covers(theirs, mine) and _is_more_general(root.render(), other.text):
                general, special = root, other
            _show_parts(general, outline(general.render()), outline(special.render()))
            general.take_over(special)
            touched[id(general)] = general
            root = general
            mine = outline(root.render())


def _is_more_general(text: str, other: str) -> bool:
    """Whether a text covers another, and its variable parts stand for more: it has fewer of them."""
    mine, theirs = outline(text), outline(other)
    return mine.key == theirs.key and covers(mine, theirs) and (text.count("{"), text) < (other.count("{"), other)


def _opened(template: Template, line: Line) -> list[str]:
    """The line's texts, with the words shown as variable that the template knows to be variable."""
    return [
        shown_when_learned(line.separators, line.words, place) if known == VARIABLE and word != VARIABLE else text
        for place, (known, word, text) in enumerate(zip(template.words, line.words, line.texts, strict=True))
    ]


def _show_parts(template: Template, mine: Outline, theirs: Outline) -> None:
    texts = list(template.texts)
    for part, other in zip(mine.parts, theirs.parts, strict=True):
        if part == other:
            continue
        shown = part.rstrip(",;:.")
        for place, text in enumerate(texts):
            if template.words[place] == VARIABLE and text == shown:
                texts[place] = widen(text, other.rstrip(",;:.") if is_bare(other) else VAR)
                break
    template.texts = tuple(texts)
