"""The lists of words of `words.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _lists() -> dict[str, str]:
    return tomllib.loads(files("log_aggregator_redact").joinpath("words.toml").read_text("utf-8"))


def words(name: str) -> tuple[str, ...]:
    """The words of one list."""
    return tuple(_lists()[name].split())


def either(name: str) -> str:
    """An expression for any word of one list."""
    return "|".join(words(name))
