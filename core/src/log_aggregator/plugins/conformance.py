"""What is checked of a plugin beyond what pluggy checks: forgotten marks, names of two packages, its own tests."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import importlib_metadata

from log_aggregator.config.tests import ConfigTest, tests_in
from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import PROJECT
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised


def check_marks(where: str, plugin: Any, hooks: Iterable[str]) -> None:
    """Raise `ConfigError` when a method has the name of a hook and is not marked: it would never be called."""
    for name in hooks:
        method = inspect.getattr_static(type(plugin), name, None)
        plain = getattr(method, "__func__", method)
        if callable(plain) and not hasattr(plain, f"{PROJECT}_impl"):
            raise ConfigError(
                f"{where}: {type(plugin).__name__}.{name} has the name of a hook and is never called; "
                "expected @hookimpl above it, or another name"
            )


def installed_releases(group: str) -> dict[str, list[str]]:
    """The packages that have an entry point of a name in a group, by that name: `log-aggregator-nginx 0.1.0`."""
    found: dict[str, set[str]] = {}
    for point in importlib_metadata.entry_points(group=group):
        found.setdefault(point.name, set()).add(f"{point.dist.name} {point.dist.version}" if point.dist else "?")
    return {name: sorted(releases) for name, releases in found.items()}


def check_rivals(where: str, name: str, releases: Mapping[str, list[str]]) -> None:
    """Raise `ConfigError` when several installed packages have a plugin of this name."""
    rivals = releases.get(name, [])
    if len(rivals) > 1:
        raise ConfigError(
            f"{where}: several packages have a plugin of this name: {' and '.join(rivals)}; expected one: uninstall "
            "the others"
        )


class _Loaded(Protocol):
    @property
    def plugins(self) -> Iterable[Any]:
        """The plugins that run."""


def tests_of_plugins(registry: _Loaded) -> list[tuple[str, ConfigTest]]:
    """The tests that plugins offer by a method `tests()`, each with its place. Raises `ConfigError`.

    It returns tables with the keys of `[[tests]]`.
    """
    found: list[tuple[str, ConfigTest]] = []
    for plugin in registry.plugins:
        offered = getattr(plugin.instance, "tests", None)
        if not callable(offered):
            continue
        try:
            tables = offered()
        except Exception as error:
            raised = where_raised(error, package_of(offered))
            raise ConfigError(f"{plugin.entry.where}: tests() failed: {raised}: {error}") from error
        found += tests_in(tables, f"plugin {plugin.name}")
    return found


def cannot_be_imported(where: str, what: str, error: BaseException, module: str) -> str:
    """Why a plugin's code cannot be imported, with its place in the plugin, and how to mend it where that is known."""
    raised = where_raised(error, module.partition(".")[0])
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    hint = f"; expected it installed beside the service: pip install {missing.partition('.')[0]}" if missing else ""
    return f"{where}: {what} cannot be imported: {raised}: {error}{hint}"


def takes_config(factory: Any) -> bool:
    """Whether a class can be made as `factory(config)`."""
    try:
        inspect.signature(factory).bind(None)
    except (TypeError, ValueError):
        return False
    return True
