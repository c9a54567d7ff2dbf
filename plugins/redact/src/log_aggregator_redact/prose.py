"""Where a name is spoken of rather than given a value: in sentences, manuals, results of tests, names of objects."""

from __future__ import annotations

import re

from log_aggregator_redact.names import Kind
from log_aggregator_redact.values import Value, looks_random
from log_aggregator_redact.words import words

_PIN_OF_A_CHIP = re.compile(r"(?:gpio|bcm|board|header|connector|irq|led|port)[ _-]?\Z", re.IGNORECASE)
_LEXED = re.compile(r"(?:unexpected|unrecogni[sz]ed|illegal|stray|next|current|last|near)\s\Z", re.IGNORECASE)
_OBJECT = re.compile(r'"(?:[a-z]+[a-z\d.-]*/)?[a-z]+(?:-[a-z\d]+)+"')
_PLACEHOLDER = re.compile(r"[A-Za-z_-]+\]")
_VERBS = frozenset(words("verbs"))
_FIRST_WORD = re.compile(r"[a-z]+(?=[_.-])|[a-z]+(?=[A-Z])")
_TEST = re.compile(r"(?i:test)|[\w-]*[/._:]|[a-z-]+\Z", re.ASCII)
_PASSES = re.compile(
    r"(?<!\w)(?:first|second|third|final|each|one|two|gc|compiler|llvm|single|test|\d(?:st|nd|rd|th)|multi|mark|sweep|\d|---)\s\Z"
)
_DESCRIBED = re.compile(r"[A-Za-z_|-]+(?:\s{2,}\S|(?<!-)\s[a-z]+\s[a-z]+)")
_CAPITALS = re.compile(r"[A-Z]+(?:[-_][A-Z]+)*\s*\Z")
_INDENT = 60


def is_spoken_of(text: str, begin: int, name: str, kind: Kind, close: str, separator: str, at: int) -> bool:
    """Whether no value is assigned to the name at `begin`, whatever stands at `at` behind `close` and `separator`."""
    before = text[begin - 1] if begin else ""
    if before and before == text[at] and before in "\"'`" and not close:  # `"Password: "`
        return True
    if _is_prose(close, separator, before, name):
        return True
    if kind == "pin":
        return _PIN_OF_A_CHIP.search(text, max(0, begin - 12), begin) is not None
    if name == "token":  # of a language
        return _LEXED.search(text, max(0, begin - 16), begin) is not None
    if name == "secret":  # controllers of a cluster log its name: `"secret"="web-tls"`
        return separator == "=" and close == before == '"' and _OBJECT.match(text, at) is not None
    return before == "[" and name.startswith("--") and _PLACEHOLDER.match(text, at) is not None


def _is_prose(close: str, separator: str, before: str, name: str) -> bool:
    """Whether what leads from the name to a value is that of a sentence or of a longer name: `(wrong password): …`,
    `arn:aws:secretsmanager:…:secret:name`, `gdm-password]: …`."""
    if separator == ":" and (close.startswith(")") or (before == ":" and name == "secret")):
        return True
    return close.startswith("]") and before not in ("[", ".", '"', "'")


def is_no_name(text: str, at: int, name: str, before: str) -> bool:
    """Whether what stands before a colon is a scheme, a path, a program or a function: `token://`, `/etc/passwd:`."""
    if text.startswith("//", at) or (before[-1:] == "/" and before[-2:-1].isalnum()) or name == "sshpass":
        return True
    first = _FIRST_WORD.match(name)
    return first is not None and first[0] in _VERBS and not looks_random(text, at)


def is_result(text: str, name: str, before: str, value: Value) -> bool:
    """Whether `pass: …` says how often something was done, or `PASS: …` begins a line as test runners write it."""
    if name.lower() != "pass":
        return False
    if _PASSES.search(before.lower()):
        return True
    return name == "PASS" and before[-1:] in ("", "\n") and _TEST.match(text, value.start, value.stop) is not None


def is_described(text: str, begin: int, value: Value) -> bool:
    """Whether a line of a manual says what a flag is for: `  --secret secret   Specify secrets`."""
    line = text.rfind("\n", max(0, begin - _INDENT), begin) + 1
    if value.is_quoted or (not line and begin > _INDENT) or not text[line : begin + 1].lstrip().startswith("-"):
        return False
    return _CAPITALS.match(text, value.start) is not None or _DESCRIBED.match(text, value.start) is not None
