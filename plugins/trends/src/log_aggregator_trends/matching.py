"""How many logs of an aggregate a search finds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from log_aggregator.model.summary import KeySummary
from log_aggregator.search import Term
from log_aggregator.sinks import Aggregate


def matching_logs(terms: tuple[Term, ...], aggregate: Aggregate, newest: Mapping[str, str]) -> int:
    """The logs of an aggregate for which all terms hold; `newest` leads from earlier ids of patterns to their newest.

    Values of metadata and variables are counted one by one, so with two such terms the answer may be too high; a value
    that is too rare for the summary counts as missing. Words are looked for in the pattern and in the samples.
    """
    found = aggregate.count
    for term in terms:
        logs = _logs(term, aggregate, newest)
        found = min(found, aggregate.count - logs if term.negated else logs)
        if found <= 0:
            return 0
    return found


def _logs(term: Term, aggregate: Aggregate, newest: Mapping[str, str]) -> int:
    if term.field == "meta":
        return min(aggregate.count, _with_values(aggregate.metadata, term))
    if term.field == "var":
        return min(aggregate.count, _with_values(aggregate.variables, term))
    return aggregate.count if _holds(term, aggregate, newest) else 0


def _holds(term: Term, aggregate: Aggregate, newest: Mapping[str, str]) -> bool:
    if term.field == "level":
        return aggregate.level in term.values
    if term.field == "source":
        return any(_equals(aggregate.source, value) for value in term.values)
    if term.field == "category":
        return any(_equals(aggregate.category, value) for value in term.values)
    if term.field == "id":
        return any(newest.get(value, value) == aggregate.pattern_id for value in term.values)
    text = term.values[0].casefold()
    return any(text in _folded(held) for held in (aggregate.pattern, *aggregate.samples.messages))


def _equals(text: str, value: str) -> bool:
    return text.startswith(value[:-1]) if value.endswith("*") else text == value


def _with_values(summary: Mapping[str, KeySummary], term: Term) -> int:
    known = summary.get(term.key)
    if known is None:
        return 0
    counts = dict(known.values.frequent(known.count))
    return sum(counts.get(value, 0) for value in term.values)


@lru_cache(maxsize=32)  # all rules look at the few texts of one aggregate
def _folded(text: str) -> str:
    return text.casefold()
