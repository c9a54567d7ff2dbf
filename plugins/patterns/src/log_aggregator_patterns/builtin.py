"""Where the built-in rules lie, and how rules are read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from log_aggregator_patterns.rule import Rule


class RuleFile(BaseModel):
    """A TOML file of rules: an array of tables named `rules`, and one named `tests`, for `log-aggregator test`."""

    model_config = ConfigDict(extra="forbid")

    rules: list[Rule]
    tests: list[dict[str, Any]] = []


@cache
def builtin_rules() -> tuple[Rule, ...]:
    """The rules that this package brings, in their order."""
    text = resources.files(__package__).joinpath("rules.toml").read_text("utf-8")
    return tuple(RuleFile.model_validate(tomllib.loads(text)).rules)


def read_rules(path: Path) -> Sequence[Rule]:
    """The rules of a TOML file. Raises `ValueError`: which file, which rule, what was expected."""
    return read_file(path).rules


def read_file(path: Path) -> RuleFile:
    """A TOML file with rules and tests. Raises `ValueError` as `read_rules`."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return RuleFile.model_validate(data)
    except OSError as error:
        raise ValueError(f"rule file {path}: {error.strerror}; expected a TOML file with [[rules]]") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"rule file {path}: not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = _place(data, first["loc"])
        raise ValueError(f"rule file {path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None


def _place(data: dict[str, Any], loc: tuple[int | str, ...]) -> str:
    """Where an error is: a rule by its name, or by its number counted from 1."""
    if len(loc) > 1 and loc[0] == "rules" and isinstance(loc[1], int):
        rule = data["rules"][loc[1]]
        name = rule.get("name") if isinstance(rule, dict) else None
        rest = ".".join(str(part) for part in loc[2:])
        return f"rule {name if isinstance(name, str) else loc[1] + 1}" + (f": {rest}" if rest else "")
    return ".".join(str(part) for part in loc)
