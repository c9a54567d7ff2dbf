"""Scripts that are written without blanks, and digits of other scripts than Latin."""

from __future__ import annotations

import re

BLANKLESS = (
    "\u0e00-\u0e4f\u0e5a-\u0eff\u1000-\u103f\u1780-\u17df"  # Thai, Lao, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uac00-\ud7af"  # Korean has blanks, but none between a number and its counter
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
"""The letters of these scripts, for the inside of a character class. A word may begin and end between any two."""

LETTER = re.compile(f"[{BLANKLESS}]")
"""One letter of them."""

_DIGIT = re.compile(r"\d")
_NEUTRAL = "\x02"


def without_blankless(text: str) -> str:
    """The text with a sign in place of each letter of these scripts, so that a number beside it stands alone."""
    return LETTER.sub(_NEUTRAL, text)


def gate_text(shape: str) -> str:
    """A shape with every digit of any script as `0`: what a gate is looked for in."""
    return _DIGIT.sub("0", shape)
