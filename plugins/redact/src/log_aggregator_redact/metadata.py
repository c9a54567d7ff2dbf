"""Which metadata holds secrets: by the names of its keys, by its texts, by names beside values, at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from log_aggregator.model.masks import mask
from log_aggregator_redact import manifests
from log_aggregator_redact.cookies import are_settings
from log_aggregator_redact.names import Kind, kind_of
from log_aggregator_redact.values import is_status, looks_random
from log_aggregator_redact.words import words

MASK = mask("key")
LONGEST_KEY = 128
"""Characters of a key; a longer one would be cut, and a mask in it torn."""

SMALLEST_CARD = 10**12

KeyKind = Callable[[str], Kind | None]
"""What kind of secret a key denotes, with the settings of the user."""

_MASKED = re.compile(r"[*•●]+|[\[<({]*(?:redacted|filtered|masked|hidden|removed)[^\n]{0,40}[\])>}]*", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]+(?:[-_.][^\W\d]+)*\d?")
_PIN = re.compile(r"\d{4,8}")
_PARTED = re.compile(r"(?<=[a-z])(?=(?:value|string)\Z)")
"""Between the words of a name: `newValue`, `secret_string`."""


def _in_all_cases(name: str) -> frozenset[str]:
    spelled = [_PARTED.sub(sign, word) for word in words(name) for sign in ("", "_", "-")]
    parted = [_PARTED.split(word) for word in words(name)]
    camel = [first + second.title() for first, *rest in parted for second in rest]
    return frozenset(case for word in spelled for case in (word, word.title(), word.upper())) | frozenset(camel)


VALUE_KEYS = _in_all_cases("value_keys")
NAME_KEYS = _in_all_cases("name_keys")


def is_secret_key(key: str) -> bool:
    """Whether a key names a secret: `dbPassword`, `X-Api-Key`, `aws_secret_access_key`, `Set-Cookie`."""
    return kind_of(key) in ("password", "secret", "connection", "cookie")


def is_secret_value(kind: Kind | None, value: Any) -> bool:
    """Whether what stands under a key of this kind is secret. Truth values, `null` and empty values never are."""
    if kind is None or value is None or isinstance(value, bool) or value in ("", [], {}) or value == MASK:
        return False
    if isinstance(value, str):
        return _MASKED.fullmatch(value) is None and _IS_SECRET_TEXT[kind](value)
    if kind == "cookie" and isinstance(value, Mapping):
        return any(isinstance(one, str) and not are_settings(f"{name}={one}") for name, one in value.items())
    if kind in ("session", "cookie"):
        return isinstance(value, list) and any(is_secret_value(kind, item) for item in value)
    return kind != "pin" or (isinstance(value, int) and value >= 1000)


_IS_SECRET_TEXT: dict[Kind, Callable[[str], bool]] = {
    "password": bool,
    "secret": bool,
    "session": looks_random,
    "pin": lambda value: _PIN.fullmatch(value) is not None,
    "connection": lambda value: not is_status(value),
    "cookie": lambda value: not are_settings(value),
}


def secret_beside_name(value: Mapping[str, Any], kind_of_key: KeyKind) -> Kind | None:
    """The kind of the name that an object gives to its value: `{"name": "DB_PASSWORD", "value": …}`."""
    if VALUE_KEYS.isdisjoint(value):
        return None
    for key, name in value.items():
        if key in NAME_KEYS and type(name) is str and (kind := kind_of_key(name)) is not None:
            return kind
    return None


def is_secret_pair(value: Sequence[Any], kind_of_key: KeyKind) -> bool:
    """Whether a list is a name and its secret: `["password", "x"]`. Two names, as of columns, are none."""
    if len(value) != 2 or type(value[0]) is not str or len(value[0]) > LONGEST_KEY or " " in value[0]:
        return False
    if type(value[1]) is str and _NAME.fullmatch(value[1]) and kind_of_key(value[1]) is not None:
        return False
    return is_secret_value(kind_of_key(value[0]), value[1])


def as_command(value: Sequence[Any]) -> str | None:
    """The arguments of a command as one text; `None` when the list holds something else."""
    if len(value) > 1 and {str, int}.issuperset(map(type, value)) and str in set(map(type, value)):
        return " ".join(map(str, value))
    return None


def redact_metadata(metadata: Mapping[str, Any], redact: Callable[[str], str], kind_of_key: KeyKind) -> dict[str, Any]:
    """A copy of the metadata with its secrets masked; the given one is not changed.

    `redact` masks a text. The value of a key that names a secret is masked whole, whatever it holds;
    truth values, `null` and empty values stay.
    """
    out: dict[str, Any] = {}
    beside = secret_beside_name(metadata, kind_of_key)
    is_manifest = manifests.is_secret(metadata)
    for key, value in metadata.items():
        name = redact(key)
        kind = beside if beside is not None and key in VALUE_KEYS else kind_of_key(key)
        if is_manifest and key in manifests.FIELDS and isinstance(value, Mapping):
            kind = "secret"
        masked = MASK if is_secret_value(kind, value) else redact_value(value, redact, kind_of_key)
        out[name if len(name) <= LONGEST_KEY or name == key else MASK] = masked
    return out


def redact_value(value: Any, redact: Callable[[str], str], kind_of_key: KeyKind) -> Any:
    """A value with the secrets inside masked."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_metadata(value, redact, kind_of_key)
    if isinstance(value, list | tuple):
        if is_secret_pair(value, kind_of_key):
            return [value[0], MASK]
        items = [redact_value(item, redact, kind_of_key) for item in value]
        command = as_command(items)
        return items if command is None else _aligned(items, redact(command))
    if isinstance(value, int) and not isinstance(value, bool) and value >= SMALLEST_CARD:
        text = str(value)
        masked = redact(text)
        return value if masked == text else masked
    return value


def _aligned(items: list[Any], command: str) -> list[Any]:
    """The arguments of a command of which some are masked in its text."""
    found: list[Any] = []
    at = 0
    for item in items:
        text = str(item)
        if command.startswith(text, at) and command[at + len(text) : at + len(text) + 1] in ("", " "):
            found.append(item)
            at += len(text) + 1
        else:
            found.append(MASK)
            end = command.find(" ", max(at, command.find("]", at)))
            at = len(command) if end < 0 else end + 1
    return found
