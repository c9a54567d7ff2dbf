"""How levels are written in text, and what each word means."""

from __future__ import annotations

from functools import lru_cache

from log_aggregator.model.fields.levels import LONG_NAMES, SYNONYMS

_OTHERS = {
    "LOG": "INFO", "STATEMENT": "INFO", "SUCCESS": "INFO", "DETAIL": "INFO", "HINT": "INFO", "CONTEXT": "INFO",
    "DBUG": "DEBUG", "TRCE": "TRACE", "FAIL": "ERROR", "VRB": "TRACE", "ERRO": "ERROR", "CRI": "CRITICAL",
    "DEBU": "DEBUG", "SYSTEM": "INFO",
}  # fmt: skip

_WORDS = [word for word in (*SYNONYMS, *LONG_NAMES) if len(word) > 2 and word not in ("HTTP", "CONFIG", "FINE", "NOTE")]
WORDS = "|".join(sorted({*_WORDS, *("TRCE", "DBUG", "ERRO", "VRB", "SUCCESS", "DEBU")}, key=len, reverse=True))
"""Words that are levels where a level stands; an alternation for expressions."""

DEFAULTS = {**{word: word for word in LONG_NAMES}, **SYNONYMS, **_OTHERS}


@lru_cache(maxsize=1024)
def meaning(word: str) -> str:
    """The level that a word stands for; empty when it is none."""
    return DEFAULTS.get(word.strip().upper(), "")
