"""Which metadata needs a closer look: seen by its keys and its shape, while its texts are gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from log_aggregator_redact import names
from log_aggregator_redact.metadata import (
    SMALLEST_CARD,
    VALUE_KEYS,
    as_command,
    is_secret_pair,
    is_secret_value,
    secret_beside_name,
)
from log_aggregator_redact.names import Kind

KEYS_KNOWN = 10_000


class Suspects:
    """Knows the keys and sources that hold no secret, so that each is looked at once."""

    def __init__(self, redact: Callable[[str], str], secret: Iterable[str], allowed: Iterable[str]) -> None:
        """`secret`, `allowed`: the user's own names of keys, in any case."""
        self._redact = redact
        self._secret = frozenset(key.lower() for key in secret)
        self._allowed = frozenset(key.lower() for key in allowed)
        self._plain: set[str] = set()

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
            if key not in plain and self._is_suspect(key, inner):
                look = True
            if type(inner) is str:
                texts.append(inner)
            elif inner is not None and type(inner) is not bool and self.gather(inner, texts):
                look = True
        return look or (not VALUE_KEYS.isdisjoint(value) and secret_beside_name(value, self.kind_of) is not None)

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
