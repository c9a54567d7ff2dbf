"""The templates that have the same separators: which of them are one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import ne

from log_aggregator_templates.evidence import Evidence, around, evidence_of, holding, needed
from log_aggregator_templates.sharing import Sharing, Some, newest
from log_aggregator_templates.template import Template
from log_aggregator_templates.tokens import VARIABLE, shown_when_learned

_WINDOW = 500
"""How many of the latest templates with a word in common a new one is compared with: bounds the cost of noise."""

_COMPARED = 10
"""What comparing two templates costs, where counting one costs 1."""

Merge = tuple[Template, list[Template]]


class Bucket:
    """Templates by their words. All of them have the separators of this bucket.

    Those that learned are found by the places where they vary: a line asks once for each such set of places,
    not once for each template. Those that are near a new one are found by a word that they share with it.
    """

    __slots__ = ("_learned", "_sharing", "separators", "templates")

    def __init__(self, separators: tuple[str, ...]) -> None:
        self.separators = separators
        self.templates: dict[tuple[str, ...], Template] = {}
        self._learned: dict[tuple[int, ...], dict[tuple[str, ...], Template]] = {}
        self._sharing = Sharing()

    def find(self, words: tuple[str, ...]) -> Template | None:
        """The template of a line with these words: the same words, or the closest one that covers them."""
        exact = self.templates.get(words)
        if exact is not None:
            return exact
        found = [learned.get(_opened_at(places, words)) for places, learned in self._learned.items()]
        covering = [template for template in found if template is not None]
        return min(covering, key=_vagueness) if covering else None

    def add(self, template: Template) -> None:
        """Put a template in."""
        if template.words not in self.templates:
            self._sharing.add(template, _first_words(template.words))
        self.templates[template.words] = template
        if template.learned:
            self._learned.setdefault(_variable_places(template.words), {})[template.words] = template

    def remove(self, template: Template) -> None:
        """Take a template out."""
        if self.templates.pop(template.words, None) is None:
            return
        self._sharing.remove(template, _first_words(template.words))
        places = _variable_places(template.words)
        learned = self._learned.get(places, {})
        if learned.pop(template.words, None) is not None and not learned:
            del self._learned[places]

    def generalize(self, template: Template) -> list[Merge]:
        """Merge around a template that is new here, as far as the evidence goes.

        Returns what was merged, in order: the more general template and those that it covers now.
        """
        merges: list[Merge] = []
        current = template
        while True:
            shown = self._step(current)
            if shown is None:
                return merges
            current = self._merged(current, shown, merges)

    def _step(self, template: Template) -> dict[int, Evidence] | None:
        """The places around `template` that are shown to be variable, with the evidence."""
        words = template.words
        most = _most_different(words)
        near: dict[tuple[int, ...], list[Template]] = defaultdict(list)
        for other in self._near(template):
            # Most differ in many words: counting them costs a third of naming them.
            if sum(map(ne, words, other.words)) <= most:
                near[tuple([i for i, differs in enumerate(map(ne, words, other.words)) if differs])].append(other)
        for places in sorted(near, key=_fewest_first):
            group = [template]
            for at, others in near.items():
                if set(at) <= set(places):
                    group += others
            shown = self._evidence(places, group)
            if shown is not None:
                return shown
        return None

    def _near(self, template: Template) -> Iterable[Template]:
        """The latest that may differ from `template` in no more than `_most_different` words, and others.

        They have one of any `_most_different + 1` words in common with it, and two of any `_most_different + 2`:
        those are looked at that have the rarest.
        """
        most = _most_different(template.words)
        sharing = self._sharing.rarest(_first_words(template.words), most + 2)
        if len(sharing) <= most:
            found = dict.fromkeys(newest(self.templates.values(), _WINDOW))
        elif len(sharing) > most + 1 and _is_worth_counting(sharing):
            found = dict.fromkeys(other for other, times in Counter(chain.from_iterable(sharing)).items() if times > 1)
        else:
            found = dict.fromkeys(other for some in sharing[: most + 1] for other in newest(some, _WINDOW))
        found.pop(template, None)
        return found

    def _evidence(self, places: tuple[int, ...], group: list[Template]) -> dict[int, Evidence] | None:
        """What shows the places to be variable; `None` when it is not enough."""
        held = holding(group[0].words, places)
        others = len(places) - 1
        if held < 2 * others + 1:
            return None
        found: dict[int, Evidence] = {}
        seen: set[object] = set()
        together = 0
        for place in places:
            values = {template.words[place] for template in group}
            beside = around(self.separators[place], self.separators[place + 1])
            enough = needed(values, held, beside, others, group[0].words[place - 1] if place else "")
            if len(values) < enough:
                return None
            found[place] = evidence_of(values, enough, held)
            seen |= {word or place for word in values}
            together += enough
        # The steps of a state machine share their words between the places: few words make many pairs.
        return found if len(seen) >= together else None

    def _merged(self, template: Template, places: dict[int, Evidence], merges: list[Merge]) -> Template:
        words = tuple(VARIABLE if i in places else word for i, word in enumerate(template.words))
        general = self.templates.get(words)
        if general is None:
            general = Template(self.separators, words, _opened(template, places))
        general.learned = general.learned.union(places, template.learned)
        general.evidence = {**(template.evidence or {}), **places, **(general.evidence or {})}
        self.add(general)
        covered = [other for other in self._having_words_of(general) if _covers(words, other.words)]
        for other in covered:
            opened = [i for i, word in enumerate(other.words) if words[i] == VARIABLE and word != VARIABLE]
            general.show(_opened(other, opened))
            self.remove(other)
        merges.append((general, covered))
        return general

    def _having_words_of(self, general: Template) -> list[Template]:
        """The others that have the rarest of its words, among them all that it covers: a common one has thousands."""
        rarest = self._sharing.rarest(_first_words(general.words), 1)
        return [other for other in (rarest[0] if rarest else self.templates.values()) if other is not general]


def _is_worth_counting(sharing: Sequence[Some]) -> bool:
    """Whether it costs less to count who has two words, the last of which is the most common, than to compare all."""
    *rarer, last = map(len, sharing)
    return last <= _WINDOW and last < _COMPARED * sum(rarer)


def _most_different(words: tuple[str, ...]) -> int:
    """In how many words two templates may differ for the difference to be evidence."""
    return max(1, len(words) // 3)


def _first_words(words: tuple[str, ...]) -> list[tuple[int, str]]:
    """The first words that are not variable, with their places: more than are needed, for many lines share a few."""
    most = _most_different(words) + 6
    return [(place, word) for place, word in enumerate(words[:most]) if word != VARIABLE]


def _opened(template: Template, places: Iterable[int]) -> list[str]:
    texts = list(template.texts)
    for place in places:
        if template.words[place] != VARIABLE:
            texts[place] = shown_when_learned(template.separators, template.words, place)
    return texts


def _variable_places(words: tuple[str, ...]) -> tuple[int, ...]:
    return tuple([place for place, word in enumerate(words) if word == VARIABLE])


def _opened_at(places: tuple[int, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of the one template that is variable at just these places and covers these words."""
    opened = list(words)
    for place in places:
        opened[place] = VARIABLE
    return tuple(opened)


def _covers(general: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return all(wanted in (VARIABLE, word) for wanted, word in zip(general, words, strict=True))


def _vagueness(template: Template) -> tuple[int, tuple[str, ...]]:
    return template.words.count(VARIABLE), template.words


def _fewest_first(places: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    return len(places), places
