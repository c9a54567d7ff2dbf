"""Secrets in the fields that are short: sources and levels."""

from __future__ import annotations

import re
from collections.abc import Callable

from log_aggregator.model.masks import mask

MASKED_LEVEL = "REDACTED"
"""Levels have room for 10 characters."""

LONGEST_SOURCE = 100
"""Characters of a source; a longer one would be cut, and a mask in it torn."""

_USUAL = re.compile(r"[A-Z][A-Z _.-]{0,9}\d?")
_BEGINS_A_TOKEN = re.compile(
    r"GH[POUSR]_|GITHUB_PAT|GL[A-Z]{2,5}-|XOX[A-Z]-|XAPP-|S[KG][-_.]|[RP]K_|WHSEC_|AKIA|ASIA|AIZA|YA\d\d\.|EYJ|NPM_|PYPI-|HF_|HV[SBR]\."
    r"|DO[PR]_V|DCKR_|GLSA_|SBP_|NTN_|FIGD_|ATATT|SNTRY|SHP[A-Z]{2}_|DAPI|DP\.|AGE-SECRET|LIN_|GSK_|PPLX-|BEARER|BASIC "
)


def is_secret_level(level: str, redact: Callable[[str], str]) -> bool:
    """Whether a level, which is in upper case and cut, holds the beginning of a secret."""
    if _BEGINS_A_TOKEN.match(level):
        return True
    return _USUAL.fullmatch(level) is None and any(redact(text) != text for text in (level, level.lower()))


def redacted_source(source: str, redact: Callable[[str], str]) -> str:
    """The source with its secrets masked; one that gets too long is masked whole."""
    text = redact(source)
    return text if len(text) <= LONGEST_SOURCE or text == source else mask("source")
