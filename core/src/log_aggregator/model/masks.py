"""Masks: what a guard writes in place of a secret. Later stages keep them whole."""

from __future__ import annotations

import re

MASK = re.compile(r"\[redacted:[a-z_-]{1,40}\]")
"""How a mask looks. The name says what it stands for."""


def mask(name: str) -> str:
    """The mask with a name: lower-case letters, `_` and `-`."""
    return f"[redacted:{name}]"


def masks_as_words(text: str) -> str:
    """The text with each mask as a word of its length, so that no expression finds a part of it."""
    return MASK.sub(_word, text) if "[redacted:" in text else text


def _word(found: re.Match[str]) -> str:
    return "x" * len(found[0])
