"""What `log-aggregator db size` says: what takes room in a store, and what a setting would save."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from log_aggregator.storekit.rollup import HOUR

DAY = 24 * HOUR
RETENTIONS = (30, 90)
"""Days of `RETENTION_DAYS` whose saving is told."""

DETAILS = 24
"""Hours of `DETAILS_HOURS` whose saving is told."""

ROLLUP = 2
"""Days of `ROLLUP_DAYS` whose saving is told."""


class Part(NamedTuple):
    """A source or pattern, and the bytes of its rows."""

    name: str
    size: int


class Ages(NamedTuple):
    """The bytes of rows older than each of `RETENTIONS`, and of the details of rows older than `DETAILS`.

    `narrow` rows are older than `ROLLUP` and would become `hours` rows.
    """

    rows: Sequence[int]
    details: int
    narrow: int
    hours: int


class Sizes(NamedTuple):
    """The bytes of each part of a store, its rows, the largest sources and patterns, and the bytes by age."""

    parts: Sequence[Part]
    rows: int
    sources: Sequence[Part]
    patterns: Sequence[Part]
    ages: Ages


def report(sizes: Sizes) -> Iterator[str]:
    """The lines that a person reads."""
    whole = sum(part.size for part in sizes.parts)
    each = f", {whole / sizes.rows:,.0f} bytes each" if sizes.rows else ""
    yield f"{size_text(whole)} for {sizes.rows:,} rows{each}"
    yield from _table(sizes.parts, whole)
    rows = sum(part.size for part in sizes.parts[:1])
    for title, found in (("sources", sizes.sources), ("patterns", sizes.patterns)):
        if found:
            yield ""
            yield f"largest {title}, of the rows"
            yield from _table(found, rows)
    each_row = whole / sizes.rows if sizes.rows else 0
    saved = [Part(f"RETENTION_DAYS={days}", old) for days, old in zip(RETENTIONS, sizes.ages.rows, strict=True)]
    saved.append(Part(f"DETAILS_HOURS={DETAILS}", sizes.ages.details))
    saved.append(Part(f"ROLLUP_DAYS={ROLLUP}", int(max(0, sizes.ages.narrow - sizes.ages.hours) * each_row)))
    yield ""
    yield "what a setting would save today, about"
    yield from _table(saved, whole)


def size_text(size: float) -> str:
    """Bytes for a person."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def _table(parts: Sequence[Part], whole: int) -> Iterator[str]:
    width = max((len(part.name) for part in parts), default=0)
    for name, size in parts:
        yield f"  {name:<{width}}  {size_text(size):>10}  {size / whole if whole else 0:5.1%}"
