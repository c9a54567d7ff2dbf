"""Secrets of Kubernetes: every value under `data` and `stringData` of an object whose `kind` is `Secret`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from log_aggregator_redact.assigned import Found

FIELDS = ("data", "stringData")
"""What holds the values."""

_KIND = re.compile(r"""kind\\{0,8}["']?\s{0,3}:\s{0,3}\\{0,8}["']?Secret(?:List)?(?!\w)""")
_OBJECT = re.compile(r"""(?:data|stringData)\\{0,8}["']\s{0,3}:\s{0,3}(?=\{)""")
_MEMBER = re.compile(
    r"""[{,]\s{0,30}\\{0,8}["'][\w.-]{1,253}\\{0,8}["']\s{0,3}:\s{0,3}\\{0,8}["'](?P<value>[^"'\\]{1,20000}+)\\{0,8}["']"""
)
_BLOCK = re.compile(r"(?:^|(?<=\n))(?P<indent>[ ]{0,20})(?:data|stringData):[ ]{0,3}(?=\r?\n)")
_LINE = re.compile(r"\r?\n(?P<indent>[ ]{1,40})[\w.-]{1,253}:[ ]{1,3}(?P<value>[^\s#|>][^\r\n]{0,20000})")

NEAR_MANIFEST = r"""kind\\*["']?\s*:\s*\\*["']?secret"""


def manifests(text: str) -> Iterator[Found]:
    """The values of secrets in a manifest, as YAML or as JSON, which may stand in a string itself."""
    if _KIND.search(text) is None:
        return
    for match in _OBJECT.finditer(text):
        at = match.end()
        while (member := _MEMBER.match(text, at)) is not None:
            yield from _value(text, *member.span("value"))
            at = member.end()
    for match in _BLOCK.finditer(text):
        at = match.end()
        while (line := _LINE.match(text, at)) is not None and len(line["indent"]) > len(match["indent"]):
            yield from _value(text, *line.span("value"))
            at = line.end()


def _value(text: str, start: int, stop: int) -> Iterator[Found]:
    if not text.startswith(("[redacted", "{{"), start):
        yield start, stop, "secret"


def is_secret(value: Mapping[str, Any]) -> bool:
    """Whether an object is a manifest of a secret."""
    return value.get("kind") == "Secret" and not value.keys().isdisjoint(FIELDS)
