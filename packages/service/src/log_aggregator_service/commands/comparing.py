"""Two sets of patterns side by side: what is new, what is gone, what became more or less frequent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from log_aggregator_service.commands.screen import plain

Counts = Counter[tuple[str, str]]
"""(pattern id, pattern) → how many messages."""

FACTOR = 3.0
"""A pattern is shown as changed when its share of the messages grew or shrank by this."""

_FEW = 10
"""A pattern with fewer messages than this on both sides is too rare to call it changed."""


def compared(new: Counts, old: Counts) -> Iterator[str]:
    """A line for each pattern that is new (+), gone (-) or changed (~), the most frequent first, and a summary."""
    added, gone = new.keys() - old.keys(), old.keys() - new.keys()
    changed = {key for key in new.keys() & old.keys() if _is_changed(new[key], old[key], new.total(), old.total())}
    yield f"  {'before':>10}  {'now':>10}  {'pattern id':<16}  pattern\n"
    for mark, keys in (("+", added), ("-", gone), ("~", changed)):
        for key in sorted(keys, key=lambda key: (-max(new[key], old[key]), key)):
            yield f"{mark} {old[key]:>10,}  {new[key]:>10,}  {key[0]:<16}  {plain(key[1])}\n"
    yield f"{len(added):,} new, {len(gone):,} gone, {len(changed):,} changed, {len(new & old):,} in both\n"


def known_patterns(path: Path) -> set[str]:
    """The ids in a file of saved patterns: the first column of `patterns FILE`. Raises `OSError`, `ValueError`."""
    ids = {line.split("\t", 1)[0].strip() for line in path.read_text(encoding="utf-8").split("\n") if line.strip()}
    for one in ids:
        if one != "-" and (len(one) != 16 or set(one) - set("0123456789abcdef")):
            raise ValueError(f"{path}: {one[:40]!r}: expected lines that `patterns FILE` printed")
    return ids


def unknown(counts: Counts, known: set[str]) -> Iterator[str]:
    """A line for each pattern that is not among the known ones, the most frequent first, and a summary."""
    found = [(key, count) for key, count in counts.most_common() if key[0] not in known]
    for (pattern_id, pattern), count in found:
        yield f"{count:>10,}  {pattern_id:<16}  {plain(pattern)}\n"
    yield f"{len(found):,} unknown, {len(counts) - len(found):,} known\n"


def _is_changed(new: int, old: int, all_new: int, all_old: int) -> bool:
    if max(new, old) < _FEW:
        return False
    ratio = (new / all_new) / (old / all_old)
    return ratio >= FACTOR or ratio <= 1 / FACTOR
