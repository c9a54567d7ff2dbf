"""What a plugin's class declares, checked before it is made: `api`, `instances` and `on_error`."""

from __future__ import annotations

from typing import Any, Literal

from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import API_VERSION
from log_aggregator.plugins.api_range import fits

Instances = Literal["worker", "node", "cluster"]

INSTANCES: tuple[Instances, ...] = ("worker", "node", "cluster")
"""What a class's `instances` may be: one in each worker, one on each node, or one in the whole cluster."""


ON_ERROR = ("continue", "wait", "refuse")
"""What a class's `on_error` may be."""


class MisfitError(ConfigError):
    """The plugin was written for another plugin API. It is left out; where it is required, the start stops."""


def check_class(factory: Any, where: str, value: str) -> None:
    """Check `api`, `instances` and `on_error` of a plugin's class; `value` is its entry point.

    Raises `MisfitError` when it does not fit this API, `ConfigError` when an attribute is not what it may be.
    """
    api = getattr(factory, "api", None)
    try:
        is_fitting = api is None or fits(api, API_VERSION)
    except (ValueError, AttributeError):
        raise ConfigError(f"{where}: {value}.api is {api!r}; expected a range such as '>=1,<2'") from None
    if not is_fitting:
        raise MisfitError(
            f"{where}: written for plugin API {api}, this core has {API_VERSION}; install a matching release"
        )
    _check_choice(factory, "instances", "worker", INSTANCES, f"{where}: {value}")
    _check_choice(factory, "on_error", "continue", ON_ERROR, f"{where}: {value}")


def _check_choice(factory: Any, name: str, default: str, choices: tuple[str, ...], where: str) -> None:
    value = getattr(factory, name, default)
    if value not in choices:
        raise ConfigError(f"{where}.{name} is {value!r}; expected one of: {', '.join(choices)}")


def instances_of(instance: Any) -> Instances:
    """How many instances the plugin of this object may have."""
    return getattr(type(instance), "instances", "worker")
