"""Places in the page that other plugins fill: pages of their own, panels of the overview and of each pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec
import pluggy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from log_aggregator import ConfigError, Hooks
from log_aggregator_dashboard.assets import TYPES, Asset

hookspec = pluggy.HookspecMarker("log_aggregator")


class DashboardHooks(Protocol):
    """What the dashboard asks other plugins for. They mark it `@hookimpl(optionalhook=True)`: it may be off."""

    @hookspec
    def dashboard_places(self) -> Sequence[Mapping[str, Any]]:
        """Give the places that a plugin fills, as tables with the keys of `Place`.

        Called: once, when the plugins are put together; in `check` too. `def`.
        May change: nothing.
        `None`: no places.
        Raising: stops the start.
        Overlap: never.
        """


class Place(BaseModel):
    """One place. The module exports `show(where, helpers)`, which fills the element `where`.

    `directory` holds the module, and what else it needs: files that end in .js, .css or .svg, each at most 1 MB.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    place: Literal["page", "overview", "pattern"]
    title: str = Field(min_length=1, max_length=40)
    module: str = Field(pattern=r"^[A-Za-z0-9_-]+\.js$")
    directory: Path | Traversable = Field(description="such as importlib.resources.files(__package__) / 'page'")
    wide: bool = False


LARGEST = 1_000_000
"""Bytes of one file of a plugin."""


class Places:
    """The places of all plugins, in the order of the file."""

    def __init__(self) -> None:
        self._places: list[tuple[str, Place]] = []

    def assemble(self, hooks: Hooks) -> None:
        """Ask all plugins. Raises `ConfigError`."""
        for plugin, given in hooks.call("dashboard_places"):
            places = [_place(plugin, number, one) for number, one in enumerate(given or (), 1)]
            if sum(place.place == "page" for place in places) > 1:
                raise ConfigError(f"plugin {plugin}: dashboard_places: two pages; expected one at most")
            self._places += [(plugin, place) for place in places]

    def files(self) -> dict[tuple[str, str], Asset]:
        """Every file that a browser may ask for, by plugin and name. Reads them."""
        return {
            (plugin, file.name): Asset(file.name, file.read_bytes())
            for plugin, place in self._places
            for file in _served(place.directory)
        }

    def described(self) -> str:
        """The places as the page reads them."""
        told = [
            {
                "plugin": plugin,
                "place": place.place,
                "title": place.title,
                "wide": place.wide,
                "module": f"dashboard/plugins/{plugin}/{place.module}",
            }
            for plugin, place in self._places
        ]
        return msgspec.json.encode(told).decode()


def _place(plugin: str, number: int, given: Mapping[str, Any]) -> Place:
    where = f"plugin {plugin}: dashboard_places: entry {number}"
    try:
        place = Place.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        keys = ", ".join(Place.model_fields)
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"{where}: {name}: unknown key; expected some of {keys}") from None
        if first["type"] == "missing":
            raise ConfigError(f"{where}: {name}: missing; expected a value") from None
        raise ConfigError(f"{where}: {name} = {first['input']!r:.60}: {first['msg']}") from None
    file = place.directory / place.module
    if not file.is_file():
        raise ConfigError(f"{where}: module = {place.module!r}: no such file in {place.directory}")
    for served in _served(place.directory):
        if (size := len(served.read_bytes())) > LARGEST:
            raise ConfigError(f"{where}: {served.name} has {size} bytes; expected at most {LARGEST}")
    return place


def _served(directory: Path | Traversable) -> Iterator[Path | Traversable]:
    """The files of a directory that a browser may ask for."""
    return (file for file in directory.iterdir() if file.is_file() and file.name[file.name.rfind(".") :] in TYPES)
