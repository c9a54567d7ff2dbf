"""How a source's name is made safe and short."""

from __future__ import annotations

from log_aggregator.model.fields.text import clean, is_dirty

MAX_LENGTH = 100
"""Characters of a source; longer ones are cut. The widest that `VARCHAR(100)` columns hold."""

DEFAULT = "unknown"


def name(sent: str | None) -> str:
    """A source as sent → the name it is counted under."""
    if not sent:
        return DEFAULT
    text = (clean(sent) if is_dirty(sent) else sent).strip()
    return text[:MAX_LENGTH].rstrip() or DEFAULT


class Sources(dict[str | None, str]):
    """Remembers `name` for the sources in use, so that records of one source share one string."""

    def __missing__(self, sent: str | None) -> str:
        if len(self) >= 10_000:
            self.clear()
        named = name(sent)
        if sent is None or len(sent) <= MAX_LENGTH:
            self[sent] = named
        return named
