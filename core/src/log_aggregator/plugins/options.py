"""A table of `plugins.toml` → the `Config` of the class that it is for."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from log_aggregator.config.explain import describe
from log_aggregator.config.references import resolved
from log_aggregator.errors import ConfigError


def config_of(where: str, factory: Any, value: str) -> type[BaseModel]:
    """The `Config` of a class; `value` is what its entry point names. Raises `ConfigError` when it has none to use."""
    config = getattr(factory, "Config", None)
    if not inspect.isclass(factory) or not (inspect.isclass(config) and issubclass(config, BaseModel)):
        raise ConfigError(f"{where}: {value} must be a class with a pydantic model `Config`")
    if config.model_config.get("extra") != "forbid":
        raise ConfigError(f'{where}: {value}.Config must have model_config = ConfigDict(extra="forbid")')
    return config


def options_of(
    where: str,
    given: dict[str, Any],
    config: type[BaseModel],
    environ: Mapping[str, str],
    host_keys: Collection[str],
) -> BaseModel:
    """The options that a table gives. `host_keys` may stand beside them. Raises `ConfigError`."""
    options = resolved(given, config, environ, where)
    try:
        return config.model_validate(options)
    except ValidationError as error:
        raise ConfigError(describe(error, where, config, host_keys)) from None
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: options cannot be read: {type(error).__name__}: {error}") from error
