"""Entry points → plugins that are loaded, checked and in the file's order. The only file that calls pluggy."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pluggy
from pydantic import BaseModel

from log_aggregator.config.pipeline import HOST_KEYS, PluginEntry
from log_aggregator.config.references import resolved
from log_aggregator.config.settings import nearest
from log_aggregator.errors import ConfigError
from log_aggregator.hookspecs import HOOKS, PROJECT, Hookspecs
from log_aggregator.plugins.checks import MisfitError, check_class
from log_aggregator.plugins.conformance import (
    cannot_be_imported,
    check_marks,
    check_rivals,
    installed_releases,
    takes_config,
)
from log_aggregator.plugins.entry_points import GROUP, Available, distribution_of, imported, installed_plugins
from log_aggregator.plugins.isolation.process import IsolatedStage
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.plugins.options import config_of, options_of
from log_aggregator.plugins.single_file import module_of, plugin_class

STAGE_HOOKS = ("normalize", "enrich")
"""The hooks of a stage that may run in a process of its own."""

log = logging.getLogger(__name__)


class Plugin:
    """One loaded plugin. `hook(name)` gives its implementation as a plain callable, or `None`.

    `on_error` says what happens while it cannot run: the file's word, else that of its class, else `continue`.
    """

    def __init__(self, entry: PluginEntry, instance: Any, distribution: str, version: str) -> None:
        self.entry = entry
        self.name = entry.name
        self.instance = instance
        self.distribution = distribution
        self.version = version
        self.hooks: dict[str, Callable[..., Any]] = {}
        self.on_error: str = entry.on_error or str(getattr(instance, "on_error", "continue"))

    def hook(self, name: str) -> Callable[..., Any] | None:
        """The implementation of a hook: takes keyword arguments, returns what the plugin returns."""
        return self.hooks.get(name)


class Registry:
    """The plugins that run, in the order of the file, and why the others do not."""

    def __init__(
        self, entries: list[PluginEntry], environ: Mapping[str, str], given: Mapping[str, Any] | None = None
    ) -> None:
        """Load every plugin that is on. Raises `ConfigError` with one clear line per problem.

        `given` holds plugins that are taken instead of installed ones of the same name: classes, or
        objects that are made already. The test kit uses it.
        """
        self.off: dict[str, str] = {}
        self.plugins: list[Plugin] = []
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hookspecs)
        available, releases = installed_plugins(), installed_releases(GROUP)
        given = given or {}
        for entry in entries:
            reason = entry.why_off(environ)
            if reason is None:
                check_rivals(entry.where, entry.name, {} if entry.file or entry.name in given else releases)
                self._add(entry, environ, available, given)
            else:
                self.off[entry.name] = reason
        self._register()
        self._assemble()

    def with_hook(self, name: str) -> list[Plugin]:
        """The plugins that implement a hook, in order."""
        return [plugin for plugin in self.plugins if plugin.hook(name)]

    def call(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Call a hook that a plugin declared for other plugins: (plugin name, result), in order."""
        return [(plugin.name, plugin.hooks[hook](**arguments)) for plugin in self.with_hook(hook)]

    def _add(
        self, entry: PluginEntry, environ: Mapping[str, str], available: Available, given: Mapping[str, Any]
    ) -> None:
        try:
            self.plugins.append(_load(entry, environ, available, given))
        except MisfitError as error:
            if entry.required:
                raise
            self.off[entry.name] = str(error).removeprefix(f"{entry.where}: ")
            log.warning("plugin left out", extra={"plugin": entry.name, "reason": self.off[entry.name]})

    def _register(self) -> None:
        for plugin in self.plugins:
            specs = getattr(type(plugin.instance), "hookspecs", None)
            if specs is not None:
                self._manager.add_hookspecs(specs)
        known = [name for name, caller in vars(self._manager.hook).items() if getattr(caller, "spec", None)]
        for plugin in self.plugins:
            check_marks(plugin.entry.where, plugin.instance, () if plugin.entry.isolated else known)
            try:
                self._manager.register(plugin.instance, plugin.name)
                self._manager.check_pending()
            except pluggy.PluginValidationError as error:
                raise ConfigError(f"{plugin.entry.where}: {self._explain(plugin, error)}") from None
        for plugin in self.plugins:
            self._collect_hooks(plugin)

    def _collect_hooks(self, plugin: Plugin) -> None:
        if isinstance(plugin.instance, IsolatedStage):
            return
        others = [other.instance for other in self.plugins if other is not plugin]
        for caller in self._manager.get_hookcallers(plugin.instance) or ():
            if caller.spec is None:  # an optional hook of a plugin that does not run
                continue
            _check_async(plugin, caller.name)
            subset = self._manager.subset_hook_caller(caller.name, others)
            plugin.hooks[caller.name] = _single(subset)

    def _assemble(self) -> None:
        for plugin in self.plugins:
            assemble = getattr(plugin.instance, "assemble", None)
            if assemble is None:
                continue
            try:
                assemble(self)
            except ConfigError as error:
                raise ConfigError(f"{plugin.entry.where}: {error}") from error

    def _explain(self, plugin: Plugin, error: pluggy.PluginValidationError) -> str:
        known = [name for name, caller in vars(self._manager.hook).items() if getattr(caller, "spec", None)]
        for name in dir(plugin.instance):
            implementation: Any = getattr(plugin.instance, name, None)
            if not hasattr(implementation, f"{PROJECT}_impl"):
                continue
            if name not in known:
                return f"{name}: no such hook{nearest(name, known) or '; expected one of: ' + ', '.join(known)}"
            spec = getattr(Hookspecs, name, None)
            if spec is not None and not _accepts(implementation, spec):
                return f"{name}{_given(implementation)}: wrong parameters; expected {name}{_public(spec)}"
        return str(error).replace("\n", " ")


def _load(entry: PluginEntry, environ: Mapping[str, str], available: Available, given: Mapping[str, Any]) -> Plugin:
    made = given.get(entry.name)
    if inspect.isclass(made):
        value = f"{made.__module__}:{made.__qualname__}"
        return Plugin(entry, _checked_instance(entry, environ, made, value), "(given)", "")
    if made is not None:
        return Plugin(entry, made, "(given)", "")
    if entry.file is not None:
        return _load_file(entry, environ, entry.file)
    point = available.get(entry.name)
    if point is None:
        hint = nearest(entry.name, list(available)) or f"; try: pip install {distribution_of(entry.name)}"
        raise ConfigError(f"{entry.where}: no installed package has a plugin of this name{hint}")
    try:
        factory = imported(point)
    except (Exception, SystemExit) as error:
        raise ConfigError(cannot_be_imported(entry.where, point.value, error, point.module)) from error
    distribution = point.dist
    release = (distribution.name, distribution.version) if distribution else ("?", "?")
    if entry.isolated:
        return _isolated(entry, environ, factory, point.value, release)
    return Plugin(entry, _checked_instance(entry, environ, factory, point.value), *release)


def _load_file(entry: PluginEntry, environ: Mapping[str, str], file: Path) -> Plugin:
    if entry.isolated:
        raise ConfigError(
            f"{entry.where} isolated: a plugin in a single file has no process of its own: make a package"
        )
    try:
        factory = plugin_class(file)
    except (Exception, SystemExit) as error:
        raise ConfigError(cannot_be_imported(entry.where, str(file), error, module_of(file))) from error
    return Plugin(entry, _checked_instance(entry, environ, factory, f"{file.name}:{factory.__name__}"), str(file), "")


def _isolated(
    entry: PluginEntry, environ: Mapping[str, str], factory: Any, value: str, release: tuple[str, str]
) -> Plugin:
    """A plugin whose object lives in another process; here it is checked, but not made."""
    config = _checked_config(entry, factory, value)
    options = resolved(entry.options, config, environ, entry.where)
    entry = entry.model_copy(update={"options": options})  # the process does not look at its environment again
    _options(entry, config, environ)
    hooks = [name for name in dir(factory) if hasattr(getattr(factory, name, None), f"{PROJECT}_impl")]
    wrong = [name for name in hooks if name not in STAGE_HOOKS]
    if wrong or not hooks:
        raise ConfigError(
            f"{entry.where} isolated: only {' and '.join(STAGE_HOOKS)} run in a process of their own; "
            f"this plugin has {', '.join(wrong) or 'neither'}: remove isolated"
        )
    stage = IsolatedStage(entry)
    plugin = Plugin(entry, stage, *release)
    plugin.hooks = {name: getattr(stage, name) for name in hooks} | {"lifespan": stage.lifespan}
    return plugin


def _checked_config(entry: PluginEntry, factory: Any, value: str) -> type[BaseModel]:
    config = config_of(entry.where, factory, value)
    check_class(factory, entry.where, value)
    return config


def _options(entry: PluginEntry, config: type[BaseModel], environ: Mapping[str, str]) -> BaseModel:
    return options_of(entry.where, entry.options, config, environ, HOST_KEYS)


def _checked_instance(entry: PluginEntry, environ: Mapping[str, str], factory: Any, value: str) -> Any:
    options = _options(entry, _checked_config(entry, factory, value), environ)
    try:
        return factory(options)
    except ConfigError as error:
        raise ConfigError(f"{entry.where}: {error}") from error
    except (Exception, SystemExit) as error:
        raised = where_raised(error, package_of(factory))
        hint = "" if takes_config(factory) else "; expected __init__(self, config)"
        raise ConfigError(f"{entry.where}: cannot be set up: {raised}: {error}{hint}") from error


def _single(caller: pluggy.HookCaller) -> Callable[..., Any]:
    """The one result of a caller that has one implementation. pluggy leaves a `None` result out.

    A plain implementation that takes what the hook gives is called directly: that costs a quarter.
    """
    implementations = caller.get_hookimpls()
    assert caller.spec is not None
    if len(implementations) == 1:
        (one,) = implementations
        if not one.wrapper and not one.hookwrapper and one.argnames:
            return one.function
    every = dict.fromkeys(caller.spec.argnames)

    def call(**arguments: Any) -> Any:
        results = caller(**{**every, **arguments})
        return results[0] if results else None

    return call


def _check_async(plugin: Plugin, name: str) -> None:
    method = getattr(plugin.instance, name)
    if name not in HOOKS:
        return
    if name == "lifespan":
        good = inspect.isasyncgenfunction(inspect.unwrap(method)) and not inspect.isasyncgenfunction(method)
        wanted = "an async context manager: @hookimpl above @asynccontextmanager"
    elif name == "on_flush":
        good, wanted = inspect.iscoroutinefunction(method), "`async def`"
    else:
        good = not inspect.iscoroutinefunction(method) and not inspect.isasyncgenfunction(method)
        wanted = "plain `def`: it runs on whole batches in the pipeline"
    if not good:
        raise ConfigError(f"{plugin.entry.where}: {name} is of the wrong kind; expected {wanted}")


def _accepts(implementation: Callable[..., Any], spec: Callable[..., Any]) -> bool:
    wanted = {name for name in inspect.signature(spec).parameters if name != "self"}
    return set(inspect.signature(implementation).parameters) <= wanted


def _given(implementation: Callable[..., Any]) -> str:
    function = getattr(implementation, "__func__", implementation)
    return str(inspect.signature(function)).replace("'", "").split(" ->", 1)[0]


def _public(spec: Callable[..., Any]) -> str:
    return str(inspect.signature(spec)).replace("'", "").split(" ->", 1)[0]
