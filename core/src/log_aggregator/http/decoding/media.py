"""Which content types are read, and as what."""

from __future__ import annotations

from log_aggregator.http.problem import Problem

JSON = frozenset({"application/json", "text/json", "text/plain", "application/octet-stream", ""})
"""Read as JSON. `curl -d` without a header says form, Node-RED may say text: the body decides."""

FORM = "application/x-www-form-urlencoded"

LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
"""Read as one JSON document a line."""

CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class ContentTypes(dict[str | None, bool]):
    """Content-Type header → whether the body is NDJSON. Remembers; bounded, for clients choose the header."""

    def check(self, header: str | None) -> bool:
        """Whether the body is NDJSON. Raises `Problem` 415."""
        return self[header]

    def __missing__(self, header: str | None) -> bool:
        lines = _is_lines(header or "")
        if len(self) >= 100:
            self.clear()
        self[header] = lines
        return lines


def _is_lines(header: str) -> bool:
    kind, *parameters = [part.strip().lower() for part in header.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(" \"'") not in CHARSETS:
            raise Problem(415, "Content-Type: this charset is not understood; expected UTF-8")
    if kind in LINES:
        return True
    if kind in JSON or kind == FORM or (kind.startswith("application/") and kind.endswith("+json")):
        return False
    raise Problem(415, "Content-Type: not understood; expected application/json or application/x-ndjson")
