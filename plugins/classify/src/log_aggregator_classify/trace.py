"""A stack trace, whatever its language, and the pattern that groups it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MOST_CAUSES = 4
"""Exceptions of a chain that are named."""

_GENERATED = re.compile(
    r"0x[0-9a-fA-F]+|(?<![A-Za-z\d])(?=[a-f]*\d)[0-9a-f]{6,}(?![A-Za-z\d])"  # an address, a digest
    r"|(?<![A-Za-z\d])\d+|\d{3,}|(?<=[A-Za-z])\d\d(?![A-Za-z\d])|(?<=Accessor)\d+|(?<=\.func)\d+|(?<=[Pp]roxy)\d+|(?<=ambda)\d+"
)
"""Not the digits of `oauth2`, `s3` and `i18n`."""

_PRELUDE = re.compile(
    r"""(?:Exception in thread "[^"\n]*"|Unhandled(?: exception\.?| promise rejection)?|Uncaught|Caused by:?|Error:?"""
    r"""|(?:PHP )?Fatal error:\s+Uncaught|\(node:\d+\))[\s:]*$"""
)


class Trace(NamedTuple):
    """A stack trace: its language, the exception, the frames, the one that raised first, and the text before it."""

    language: str
    exception: str
    frames: tuple[str, ...]
    before: str = ""

    def pattern(self, most: int) -> str:
        """The pattern that groups it: `{TRACE} KeyError at shop.cart.add < shop.views.buy`."""
        frames = " < ".join(self.frames[:most])
        return f"{{TRACE}} {self.exception}" + (f" at {frames}" if frames else "")

    @property
    def sentence(self) -> str:
        """What the program said before the trace, on one line; empty when it only printed the trace."""
        before = _PRELUDE.sub("", self.before[:1000].rstrip())
        sentence = " ".join(before.split()).rstrip(" :-,")[:300]
        return sentence if re.search(r"[^\W\d_]{2}", sentence) else ""


def same(name: str) -> str:
    """A name without what is generated anew: `$$Lambda$14/0x3f` and `lambda$run$0` keep no numbers."""
    return _GENERATED.sub("0", name)


def chain(exceptions: Iterable[str]) -> str:
    """An exception and its causes: `CartError caused by KeyError`, equal ones once."""
    return " caused by ".join(list(dict.fromkeys(filter(None, exceptions)))[:MOST_CAUSES])
