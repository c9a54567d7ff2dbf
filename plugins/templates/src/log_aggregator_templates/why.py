"""Why lines are one pattern: who said so, or which words were seen in which place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from log_aggregator_templates.corrections import Correction
from log_aggregator_templates.template import Template

_EARLIER = 20
_BESIDE = 2
"""Words that are shown on each side of a place."""


def why(pattern: str, roots: Iterable[Template], said: Correction | None) -> dict[str, Any]:
    """What made a pattern: `said`, the correction that holds for it; `places`, what was learned and from what.

    `earlier` are patterns that lead to it, at most 20. Without any of these the pattern is that of the rules.
    """
    found = next((root for root in roots if root.text == pattern), None)
    return {
        "pattern": pattern,
        "said": None if said is None else {"id": said.id, "kind": said.kind, "at": said.at, "by": said.by},
        "places": [] if found is None else _places(found),
        "earlier": [] if found is None else sorted(text for text in found.published if text != pattern)[:_EARLIER],
    }


def sentences(document: dict[str, Any]) -> list[str]:
    """The same for a person at a terminal."""
    lines = []
    if document["said"] is not None:
        by = document["said"]["by"]
        lines.append(f"said by {by or 'the configuration'}: {document['said']['kind']}")
    for place in document["places"]:
        more = place["seen"] - len(place["values"])
        values = ", ".join(place["values"]) + (f" and {more} more" if more > 0 else "")
        lines.append(
            f"{place['place']}: {place['seen']} different words where {place['needed']} are enough "
            f"beside {place['held']} constant ones: {values}"
        )
    return lines


def _places(root: Template) -> list[dict[str, Any]]:
    return [
        {"place": _around(root, place), **found._asdict(), "values": list(found.values)}
        for place, found in sorted((root.evidence or {}).items())
        if place < len(root.texts)
    ]


def _around(root: Template, place: int) -> str:
    """A place with a few words on both sides."""
    first, last = max(0, place - _BESIDE), min(len(root.texts), place + _BESIDE + 1)
    pieces = [text + root.separators[at + 1] for at, text in enumerate(root.texts[first:last], first)]
    return "".join(pieces).strip()
