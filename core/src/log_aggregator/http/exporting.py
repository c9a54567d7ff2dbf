"""A list of patterns as a file: CSV, NDJSON or Markdown, all its pages in one answer."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Literal

import msgspec
from aiohttp import web

Form = Literal["csv", "ndjson", "markdown"]

FORMS: dict[str, str] = {"csv": "text/csv", "ndjson": "application/x-ndjson", "markdown": "text/markdown"}
"""The content type of each form."""

COLUMNS = ("pattern_id", "count", "level", "levels", "first_seen", "last_seen", "sources", "category", "pattern")

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

Rows = list[dict[str, Any]]


async def exported(request: web.Request, form: Form, pages: AsyncIterator[Rows]) -> web.StreamResponse:
    """Stream all pages. What the first page raises is raised; later, the connection ends without a proper end."""
    none: Rows = []
    first = await anext(pages, none)
    answer = web.StreamResponse(headers={"Cache-Control": "no-store"})
    answer.content_type, answer.charset = FORMS[form], "utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="patterns.{"md" if form == "markdown" else form}"'
    await answer.prepare(request)
    write = _WRITERS[form]
    await answer.write((_HEADS[form] + "".join(map(write, first))).encode("utf-8", "replace"))
    async for rows in pages:
        await answer.write("".join(map(write, rows)).encode("utf-8", "replace"))
    await answer.write_eof()
    return answer


def _csv(row: dict[str, Any]) -> str:
    return _line(
        (
            row["pattern_id"],
            row["count"],
            next(iter(row["levels"]), ""),
            _listed(row["levels"]),
            row["first_seen"],
            row["last_seen"],
            _listed(row["sources"]),
            row["category"],
            row["pattern"],
        )
    )


def _line(values: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_safe(value) for value in values])
    return buffer.getvalue()


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _listed(counts: dict[str, int]) -> str:
    return " ".join(f"{name}={count}" for name, count in counts.items())


def _ndjson(row: dict[str, Any]) -> str:
    return msgspec.json.encode(row).decode() + "\n"


def _markdown(row: dict[str, Any]) -> str:
    level, source = next(iter(row["levels"]), ""), next(iter(row["sources"]), "")
    return f"| {row['count']} | {_cell(level)} | {_cell(source)} | {_cell(row['pattern'])} |\n"


def _cell(text: str) -> str:
    """A text as code within a table: nothing in it is markup."""
    line = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{line}`" if line else ""


_WRITERS: dict[str, Callable[[dict[str, Any]], str]] = {"csv": _csv, "ndjson": _ndjson, "markdown": _markdown}
_HEADS = {
    "csv": ",".join(COLUMNS) + "\r\n",
    "ndjson": "",
    "markdown": "| count | level | source | pattern |\n|---:|---|---|---|\n",
}
