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
        text = resources.files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")
        rules: list[dict[str, Any]] = tomllib.loads(text)["rules"]
        return rules
