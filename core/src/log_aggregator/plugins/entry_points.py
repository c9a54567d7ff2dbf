"""The installed plugins: entry points, listed without importing them and imported one by one."""

from __future__ import annotations

import importlib
import site
from typing import Any

import importlib_metadata

GROUP = "log_aggregator.plugins"

_BESIDE = {"edges": "upstream"}
"""Plugins whose package has the name of another one."""

Available = dict[str, importlib_metadata.EntryPoint]
"""Every installed plugin by its name."""


def distribution_of(plugin: str) -> str:
    """The package that is likely to have a plugin of this name."""
    return f"log-aggregator-{_BESIDE.get(plugin, plugin)}"


def installed_plugins() -> Available:
    """Every installed plugin by name; nothing is imported."""
    return {point.name: point for point in importlib_metadata.entry_points(group=GROUP)}


def imported(point: importlib_metadata.EntryPoint) -> Any:
    """What an entry point names. A package may have come after the start, while the service reloads."""
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if error.name != point.module.partition(".")[0]:
            raise
    # `pip install -e` leaves a .pth file, and Python reads those only when it starts.
    for directory in site.getsitepackages():
        site.addsitedir(directory)
    importlib.invalidate_caches()
    return point.load()
