"""Which metadata needs a closer look: seen by its keys and its shape, while its texts are gathered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from log_aggregator_redact import manifests, names
from log_aggregator_redact.finders import in_bytes
from log_aggregator_redact.metadata import (
    SMALLEST_CARD,
    VALUE_KEYS,
    as_command,
    is_secret_pair,
    is_secret_value,
    secret_beside_name,
)
from log_aggregator_redact.names import Kind
from log_aggregator_redact.texts import lowered_shape_of
from log_aggregator_redact.view import normalized
from log_aggregator_redact.words import words

KEYS_KNOWN = 10_000
KEYS_AT_ONCE = 64
_SIMPLE = frozenset({str, int, float, bool, type(None)})

_SEPARATORS = {ord(character): None for character in "_.- /:[]()$@#0123456789"}


def _parts() -> set[str]:
    """What a name of a secret contains, without separators."""
    lists = ("passwords", "short_passwords", "secrets", "short_secrets", "connections", "sessions")
    found = {word for name in lists for word in words(name)}
    return {"pass", "pw", "psw", "pin", *found}


class Suspects:
    """Knows the keys and sources that hold no secret, so that each is looked at once."""

    def __init__(
        self,
        redact: Callable[[str], str],
        passes_a_gate: Callable[[bytes], object],
        secret: Iterable[str],
        allowed: Iterable[str],
    ) -> None:
        """`secret`, `allowed`: the user's own names of keys, in any case. `passes_a_gate`: see `Texts`."""
        self._redact = redact
        self._passes_a_gate = passes_a_gate
        self._secret = frozenset(key.lower() for key in secret)
        self._allowed = frozenset(key.lower() for key in allowed)
        self._plain: set[str] = set()
        self._found: Sequence[Mapping[str, Any]] = ()
        self._may_name = in_bytes("|".join(sorted({*_parts(), *map(re.escape, self._secret)}))).search

    def kind_of(self, key: str) -> Kind | None:
        """What kind of secret a key denotes, with the settings of the user."""
        lowered = key.lower()
        if lowered in self._secret:
            return "secret"
        return None if lowered in self._allowed else names.kind_of(key)

    def is_plain(self, text: str) -> bool:
        """Whether a key or a source holds no secret itself."""
        if text in self._plain:
            return True
        if self._redact(text) != text:
            return False
        if self.kind_of(text) is None:
            if len(self._plain) >= KEYS_KNOWN:
                self._plain.clear()
            self._plain.add(text)
        return True

    def begin(self, found: Sequence[Mapping[str, Any]]) -> None:
        """Say which metadata will be gathered: when it has unknown keys, all are learned together."""
        self._found = found

    def _learn(self) -> None:
        """Learn which keys are plain, dozens of unknown ones in one look."""
        found, self._found = self._found, ()
        unknown = list({key for metadata in found for key in metadata} - self._plain)
        for start in range(0, len(unknown), KEYS_AT_ONCE):
            some = unknown[start : start + KEYS_AT_ONCE]
            if not self._may_hold_names(some):
                if len(self._plain) + len(some) > KEYS_KNOWN:
                    self._plain.clear()
                self._plain.update(some)

    def _may_hold_names(self, keys: list[str]) -> bool:
        joined = normalized("\n".join(keys))
        if "%" in joined or self._passes_a_gate(lowered_shape_of(joined)):
            return True
        return self._may_name(joined.lower().translate(_SEPARATORS).encode("utf-8", "surrogatepass")) is not None

    def are_harmless(self, keys: AbstractSet[str], values: AbstractSet[Any]) -> bool:
        """Whether flat metadata of these keys and values is known to need no look, its texts apart."""
        if not keys <= self._plain or not VALUE_KEYS.isdisjoint(keys):
            return False
        if not _SIMPLE.issuperset(map(type, values)):
            return False
        # A number stands in a set for all that are equal to it, a fraction for a whole number too.
        return all(value < SMALLEST_CARD for value in values if type(value) is int or type(value) is float)

    def gather(self, value: Any, texts: list[str]) -> bool:
        """Add all texts inside to `texts`; True when something else needs a closer look."""
        if type(value) is str:
            texts.append(value)
            return False
        if type(value) is dict:
            return self._gather_object(value, texts)
        if type(value) is int:
            return value >= SMALLEST_CARD
        if isinstance(value, list | tuple):
            return self._gather_list(value, texts)
        return not isinstance(value, float | bool | None)

    def _gather_object(self, value: dict[str, Any], texts: list[str]) -> bool:
        look = False
        plain = self._plain
        for key, inner in value.items():
            if key not in plain:
                if self._found:
                    self._learn()
                if key not in plain and self._is_suspect(key, inner):
                    look = True
            if type(inner) is str:
                texts.append(inner)
            elif inner is not None and type(inner) is not bool and self.gather(inner, texts):
                look = True
        if look or (VALUE_KEYS.isdisjoint(value) and "stringData" not in value):
            return look
        return secret_beside_name(value, self.kind_of) is not None or manifests.is_secret(value)

    def _gather_list(self, value: Sequence[Any], texts: list[str]) -> bool:
        look = False
        for item in value:
            look |= self.gather(item, texts)
        command = as_command(value)
        if command is not None:
            texts.append(command)
        return look or is_secret_pair(value, self.kind_of)

    def _is_suspect(self, key: str, value: Any) -> bool:
        kind = self.kind_of(key)
        if kind is None:
            return not self.is_plain(key)
        return is_secret_value(kind, value) or self._redact(key) != key
