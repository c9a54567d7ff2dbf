"""The rule pack of nginx: gives the rules of `rules.toml` to the patterns plugin."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict

from log_aggregator import hookimpl


class Nginx:
    """What varies in the logs of nginx."""

    api = ">=1,<2"

    class Config(BaseModel):
        """This rule pack has no options."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, config: Config) -> None:
        self.config = config

    @hookimpl
    def pattern_rules(self) -> list[dict[str, Any]]:
        """The rules, in their order."""
        return _tables("rules")

    def tests(self) -> list[dict[str, Any]]:
        """What becomes of some logs: `log-aggregator test` runs these beside those of `plugins.toml`."""
        return _tables("tests")


def _tables(name: str) -> list[dict[str, Any]]:
    text = resources.files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")
    tables: list[dict[str, Any]] = tomllib.loads(text).get(name, [])
    return tables
