"""`[[tests]]`: what becomes of a log, said in the configuration and asserted by `log-aggregator test`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from log_aggregator.config.explain import describe
from log_aggregator.errors import ConfigError


class ConfigTest(BaseModel):
    """One `[[tests]]` table: a log, and what is expected of it. What is not named is not compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message: str | None = Field(None, description="the log: a message, as a client would send it")
    log: dict[str, Any] | None = Field(None, description="the log: an object, as a client would send it")
    pattern: str | None = None
    level: str | None = None
    source: str | None = None
    category: str | None = None
    tags: list[str] | None = Field(None, description="all tags, in any order")
    metadata: dict[str, Any] | None = Field(None, description="some of the keys with their values")
    time: str | None = Field(None, description="ISO 8601")
    dropped: bool | str | None = Field(None, description="whether it is dropped, or by which plugin")
    rejected: bool | str | None = Field(None, description="whether it is rejected, or by which plugin")

    @model_validator(mode="after")
    def _one_log(self) -> ConfigTest:
        if (self.message is None) == (self.log is None):
            raise ValueError("expected a log: either message or log")
        if not self.expected:
            raise ValueError(f"expects nothing; expected one of {', '.join(EXPECTATIONS)}")
        return self

    @property
    def expected(self) -> dict[str, Any]:
        """What is compared, by name."""
        return {name: value for name in EXPECTATIONS if (value := getattr(self, name)) is not None}


EXPECTATIONS = tuple(name for name in ConfigTest.model_fields if name not in {"message", "log"})


def tests_in(tables: Any, where: str) -> list[tuple[str, ConfigTest]]:
    """The tests of a list of tables, each with its place: `plugins.toml [[tests]] 1`. Raises `ConfigError`."""
    if not isinstance(tables, list):
        raise ConfigError(f"{where} tests: expected tables [[tests]]")
    return [(f"{where} [[tests]] {number}", _test(table, f"{where} [[tests]] {number}"))
            for number, table in enumerate(tables, 1)]  # fmt: skip


def _test(table: Any, where: str) -> ConfigTest:
    try:
        return ConfigTest.model_validate(table)
    except ValidationError as error:
        raise ConfigError(describe(error, where, ConfigTest).replace(f"{where} :", f"{where}:")) from None
