"""Which characters a text may not hold, and what becomes of them.

The rules, for messages, sources, levels, metadata keys and metadata texts:

- ANSI escape sequences (colors, cursor movements, titles) are taken out.
- `\\r\\n` and a lone `\\r` become `\\n`. `\\n` and `\\t` stay.
- Every other control character (NUL, C0, DEL, C1) and every lone surrogate becomes U+FFFD, so
  that a reader sees something was there. PostgreSQL takes neither NUL nor a lone surrogate.
"""

from __future__ import annotations

import re

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colors, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)"  # OSC, DCS and the like, up to their end
    r"|\x1b[ -/]*[0-~]"  # the short ones
)
_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BAD_ESCAPE = re.compile(rb"\\(?:[bfr]|u00[01789])")
_BAD_RAW = re.compile(rb"\x7f|\xc2[\x80-\x9f]")

FEW_BACKSLASHES = 200
"""So many are looked at one by one: at most 40 µs."""

MARK = "… [cut, {} characters]"
"""What stands at the end of a text that was cut; the number is the length it had."""


def is_dirty(text: str) -> bool:
    """Whether a text holds anything that `clean` would change."""
    return not text.isprintable() and _BAD.search(text) is not None


def may_be_dirty(raw: bytes) -> bool:
    """Whether any text of a JSON document may be dirty: one pass over its bytes, no false `False`.

    Raw control characters below U+0020 and lone surrogates do not get through the decoder, so only
    escapes, DEL and C1 matter.
    """
    if _has_bad_escape(raw):
        return True
    if b"\x7f" in raw:
        return True
    return not raw.isascii() and b"\xc2" in raw and _BAD_RAW.search(raw) is not None


def _has_bad_escape(raw: bytes) -> bool:
    """A few backslashes are found much faster than an expression walks a body; many are not."""
    at = -1
    for _ in range(FEW_BACKSLASHES):
        at = raw.find(b"\\", at + 1)
        if at < 0:
            return False
        if _BAD_ESCAPE.match(raw, at):
            return True
    return _BAD_ESCAPE.search(raw, at) is not None


def clean(text: str) -> str:
    """The text without what it may not hold. Safe for PostgreSQL `text` and `jsonb`."""
    if "\x1b" in text or "\x9b" in text:
        text = _ANSI.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BAD.sub("\ufffd", text)


def cut(text: str, most: int) -> str:
    """At most `most` characters; a longer text ends with `MARK`, which is part of them."""
    if len(text) <= most:
        return text
    mark = MARK.format(len(text))
    return text[: max(0, most - len(mark))] + mark
