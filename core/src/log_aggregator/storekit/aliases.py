"""How chains of aliases resolve: which pattern the rows of an old pattern id belong to now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from log_aggregator.model.aggregate import Alias


class Resolved(NamedTuple):
    """An alias with the end of its chain. `final_pattern` is `None` where the old id stands alone."""

    alias: Alias
    final_id: str
    final_pattern: str | None


def latest_aliases(aliases: Iterable[Alias]) -> dict[str, Alias]:
    """One alias for each old id: the one with the latest `at`; of two at once the greater pattern."""
    latest: dict[str, Alias] = {}
    for alias in aliases:
        known = latest.get(alias.old_id)
        if known is None or (alias.at, alias.pattern) > (known.at, known.pattern):
            latest[alias.old_id] = alias
    return latest


def resolve_aliases(aliases: Iterable[Alias]) -> dict[str, Resolved]:
    """Follow every chain (a → b → c) to its end. The result depends on the set, never on its order.

    In a circle the oldest alias does not hold: its old id is where the circle ends.
    """
    latest = latest_aliases(aliases)
    resolved: dict[str, Resolved] = {}
    for old_id in latest:
        chain: list[str] = []
        here = old_id
        while here not in resolved and here not in chain and _leads_on(latest.get(here)):
            chain.append(here)
            here = latest[here].new_id
        if here in chain:
            circle = chain[chain.index(here) :]
            here = min(circle, key=lambda member: (latest[member].at, member))
        end = resolved[here].final_id if here in resolved else here
        text = _text_of(end, chain, latest, resolved.get(here))
        for member in chain:
            resolved[member] = Resolved(latest[member], end, text if member != end else None)
        if old_id not in resolved:
            resolved[old_id] = Resolved(latest[old_id], old_id, None)
    return resolved


def touched_ids(aliases: Iterable[Alias]) -> list[str]:
    """The ids whose families a store must read before it takes in `aliases`, see `changed_aliases`."""
    return sorted({alias_id for alias in aliases for alias_id in (alias.old_id, alias.new_id)})


def changed_aliases(known: Iterable[Alias], fresh: Iterable[Alias]) -> list[Resolved]:
    """What must be written when `fresh` aliases come to the `known` ones that a store holds.

    `known` may be all of them. It is enough that it holds the families of the `touched_ids`: every alias that
    ends where one of these ids ends, or at the id itself. So the work does not grow with all aliases there ever were.
    """
    known = list(known)
    before, after = resolve_aliases(known), resolve_aliases([*known, *fresh])
    return [now for old_id, now in after.items() if before.get(old_id) != now]


def _leads_on(alias: Alias | None) -> bool:
    return alias is not None and alias.new_id != alias.old_id


def _text_of(end: str, chain: list[str], latest: dict[str, Alias], known: Resolved | None) -> str | None:
    if known is not None and known.final_pattern is not None:
        return known.final_pattern
    return next((latest[member].pattern for member in chain if latest[member].new_id == end), None)
