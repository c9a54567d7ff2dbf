"""What a Content-Type says of a body: a hint only, for types lie. The body itself decides how it is read."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from log_aggregator.http.problem import Problem

LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
"""One JSON document a line."""

BINARY = ("multipart/", "image/", "audio/", "video/", "font/")
"""Families of types that hold no text. An archive or a protocol's own encoding neither: see `BINARY_TYPES`."""

BINARY_TYPES = frozenset(
    {"application/zip", "application/gzip", "application/pdf", "application/grpc", "application/x-protobuf"}
)

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How a text begins that Windows programs wrote as "Unicode"."""


class Media(NamedTuple):
    """Whether a type announces JSON, or JSON lines, and the charset that it names when that is not UTF-8."""

    is_json: bool
    is_lines: bool
    charset: str

    def text(self, raw: bytes) -> bytes:
        """The body as UTF-8. A body that is UTF-8 is so whatever its type says."""
        if raw.startswith(UTF_16) and b"\0" in raw:
            return raw.decode("utf-16", "replace").encode("utf-8", "replace")
        if not self.charset or _is_utf8(raw):
            return raw
        return raw.decode(self.charset, "replace").encode("utf-8", "replace")


class ContentTypes(dict[str | None, Media]):
    """Content-Type header → what it says. Remembers; bounded, for clients choose the header."""

    def check(self, header: str | None) -> Media:
        """What the header says of the body. Raises `Problem` 415 for types that hold no text."""
        return self[header]

    def __missing__(self, header: str | None) -> Media:
        media = _read(header or "")
        if len(self) >= 100:
            self.clear()
        self[header] = media
        return media


def _read(header: str) -> Media:
    kind, *parameters = [part.strip().lower() for part in header.split(";")]
    if kind.startswith(BINARY) or kind in BINARY_TYPES:
        raise Problem(415, "Content-Type: holds no text; expected application/json, application/x-ndjson or text/plain")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            charset = _charset(value.strip(" \"'"))
    is_lines = kind in LINES
    is_json = is_lines or kind in ("application/json", "text/json") or kind.endswith("+json")
    return Media(is_json, is_lines, charset)


def _charset(name: str) -> str:
    """The codec of a charset that is not UTF-8. Raises `Problem` 415 for one that nobody knows."""
    try:
        codec = codecs.lookup(name).name if name.isascii() and len(name) < 40 else ""
        "".encode(codec)  # base64 and the like are codecs, but none of texts
    except (LookupError, TypeError, ValueError):
        raise Problem(415, "Content-Type: this charset is not understood; expected UTF-8") from None
    return "" if codec in ("utf-8", "ascii") else codec


def _is_utf8(raw: bytes) -> bool:
    if b"\0" in raw:
        return False
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
