"""What a plugin's class declares, checked before it is made: `api`, `instances` and `on_error`."""

from __future__ import annotations

import functools
import logging
from typing import Any, Literal

from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import API_VERSION, SERVED_VERSIONS
from log_aggregator.plugins.api_range import fits

Instances = Literal["worker", "node", "cluster"]

INSTANCES: tuple[Instances, ...] = ("worker", "node", "cluster")
"""What a class's `instances` may be: one in each worker, one on each node, or one in the whole cluster."""


ON_ERROR = ("continue", "wait", "refuse")
"""What a class's `on_error` may be."""


log = logging.getLogger(__name__)


class MisfitError(ConfigError):
    """The plugin was written for another plugin API. It is left out; where it is required, the start stops."""


def check_class(factory: Any, where: str, value: str) -> None:
    """Check `api`, `instances` and `on_error` of a plugin's class; `value` is its entry point.

    Raises `MisfitError` when it does not fit this API, `ConfigError` when an attribute is not what it may be.
    """
    api = getattr(factory, "api", None)
    try:
        served = [version for version in SERVED_VERSIONS if api is None or fits(api, version)]
    except (ValueError, AttributeError):
        raise ConfigError(f"{where}: {value}.api is {api!r}; expected a range such as '>=1,<2'") from None
    if not served:
        raise MisfitError(
            f"{where}: written for plugin API {api}, this core has {API_VERSION}; install a matching release"
        )
    if API_VERSION not in served:
        _warn_once(where, str(api))
    _check_choice(factory, "instances", "worker", INSTANCES, f"{where}: {value}")
    _check_choice(factory, "on_error", "continue", ON_ERROR, f"{where}: {value}")
    on_aggregates = getattr(factory, "on_aggregates", True)
    if type(on_aggregates) is not bool:
        raise ConfigError(f"{where}: {value}.on_aggregates is {on_aggregates!r}; expected True or False")


@functools.cache
def _warn_once(where: str, api: str) -> None:
    log.warning(
        "plugin is written for the API before: it works with this release and no later one; install a newer one",
        extra={"plugin": where, "api": api, "current": API_VERSION},
    )


def _check_choice(factory: Any, name: str, default: str, choices: tuple[str, ...], where: str) -> None:
    value = getattr(factory, name, default)
    if value not in choices:
        raise ConfigError(f"{where}.{name} is {value!r}; expected one of: {', '.join(choices)}")


def instances_of(instance: Any) -> Instances:
    """How many instances the plugin of this object may have."""
    return getattr(type(instance), "instances", "worker")
