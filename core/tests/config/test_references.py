"""Options whose text comes from the environment."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from log_aggregator import ConfigError
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.config.references import resolved

ENVIRON = {"TOKEN": "hunter2", "PORT": "5514", "EMPTY": ""}


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")
    regex: str
    env: str = ""


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    token: str | None = None
    secret: Annotated[SecretStr | None, Field(description="hidden")] = None
    port: int = 0
    keys: list[str] = []
    pairs: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    rules: list[Rule] = []
    rule: Rule | None = None
    anything: Any = None
    from_: str = Field("", alias="from")


def options(text: str) -> Config:
    (entry,) = parse_plugins(f"[plugins.syslog]\n{text}\n")
    return Config.model_validate(resolved(entry.options, Config, ENVIRON, entry.where))


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ('token = { env = "TOKEN" }', "token", "hunter2"),
        ('secret = { env = "TOKEN" }', "secret", SecretStr("hunter2")),
        ('port = { env = "PORT" }', "port", 5514),
        ('keys = ["a", { env = "TOKEN" }]', "keys", ["a", "hunter2"]),
        ('pairs = [{ env = "TOKEN" }]', "pairs", ("hunter2",)),
        ('labels = { one = { env = "TOKEN" } }', "labels", {"one": "hunter2"}),
        ('rules = [{ regex = { env = "TOKEN" } }]', "rules", [Rule(regex="hunter2")]),
        ('from = { env = "TOKEN" }', "from_", "hunter2"),
        # Here the table is what the option takes itself.
        ('labels = { env = "TOKEN" }', "labels", {"env": "TOKEN"}),
        ('rule = { regex = "x", env = "TOKEN" }', "rule", Rule(regex="x", env="TOKEN")),
        ('anything = { env = "TOKEN" }', "anything", {"env": "TOKEN"}),
    ],
)
def test_a_reference_becomes_what_its_variable_holds(text: str, field: str, value: object) -> None:
    assert getattr(options(text), field) == value


@pytest.mark.parametrize("name", ["MISSING", "EMPTY"])
def test_a_variable_that_is_not_set_is_named_with_its_place(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options(f'rules = [{{ regex = "x" }}, {{ regex = {{ env = "{name}" }} }}]')
    assert str(caught.value) == (
        f"plugins.toml [plugins.syslog] rules.1.regex: the environment variable {name} is not set; "
        "expected the value of this option in it"
    )


def test_an_unknown_option_stays_for_the_check_that_names_it() -> None:
    assert resolved({"tokn": {"env": "TOKEN"}}, Config, ENVIRON, "") == {"tokn": {"env": "TOKEN"}}
