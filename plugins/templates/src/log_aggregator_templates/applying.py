"""What the plugin does with a correction that somebody sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from log_aggregator_templates.corrections import Correction


class Applies(Protocol):
    """What the plugin does with a correction."""

    def apply(self, corrections: Sequence[Correction]) -> None:
        """Use these from now on."""

    def evidence(self, pattern: str) -> dict[str, Any]:
        """Why lines are this pattern."""

    def text_of(self, wanted: str) -> str | None:
        """The text of a pattern that was learned here, by its id."""

    def said(self, one: Correction) -> None:
        """Emit the aliases that a new correction brings."""

    def taken_back(self, one: Correction, stored: Sequence[str]) -> None:
        """Emit the aliases that undoing one brings, also of patterns that were stored while it held."""
