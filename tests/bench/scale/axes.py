"""Along which axes work grows, and what may grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from tests.bench.scale.world import World


class Axis(NamedTuple):
    """One axis: its sizes, and the world at each of them.

    `shared`: work comes in units of the size (a pattern, a source, a log of a batch), so the cost of one log may
    stay and the whole grows linearly. Otherwise one log itself grows: its cost may grow linearly. `first`, a title:
    the first round, in which everything is new to the service, is shown too.
    """

    name: str
    title: str
    sizes: tuple[int, ...]
    world: Callable[[int], World]
    shared: bool = True
    first: str = ""


_SHORT = 100
"""Logs in a batch where each may cost a lot: a stage that takes long for one call is left out for a while."""


def _patterns(size: int) -> World:
    return World(patterns=size, repeats=3, batch=_SHORT)


def _names(size: int) -> World:
    return World(patterns=size, names=True, repeats=10, batch=_SHORT)


def _batch(size: int) -> World:
    return World(batch=size, repeats=40 if size > 10 else 10)


def _keys(size: int) -> World:
    return World(patterns=100, keys=size, repeats=100)


def _length(size: int) -> World:
    return World(patterns=100, length=size, batch=_SHORT, repeats=20 if size > 1000 else 200)


def _unseen(size: int) -> World:
    return World(patterns=20, length=size, batch=_SHORT, repeats=20 if size > 1000 else 400, names=True)


def _sources(size: int) -> World:
    return World(patterns=100, sources=size, repeats=10)


def _plugins(size: int) -> World:
    return World(plugins=size, batch=_SHORT)


_CHARACTERS = (20, 100, 400, 1600, 4000, 8000, 16_000)

AXES = (
    Axis("patterns", "patterns, known", (100, 1000, 10_000, 100_000), _patterns, first="patterns, new"),
    Axis("names", "patterns with a word that varies", (100, 1000, 10_000), _names),
    Axis("batch", "logs in a batch", (1, 10, 100, 1000, 10_000), _batch),
    Axis("keys", "metadata keys", (0, 1, 2, 5, 10, 20, 50, 100), _keys, shared=False),
    Axis("length", "characters, shapes come again", _CHARACTERS, _length, shared=False),
    Axis("unseen", "characters, every line has a new shape", _CHARACTERS, _unseen, shared=False),
    Axis("sources", "sources", (1, 10, 100, 1000, 10_000), _sources),
    Axis("plugins", "plugins that do nothing", (0, 1, 2, 5, 10, 20), _plugins, shared=False),
)

QUICK = {
    "patterns": (100, 300, 1000),
    "batch": (30, 180, 1000),
    "length": (400, 900, 2000),
    "sources": (100, 300, 1000),
}
QUICK_LOGS = 2000


def quick(names: Iterable[str] = QUICK) -> tuple[Axis, ...]:
    """A few sizes of some axes: enough to see what is quadratic, in less than a minute."""
    return tuple(
        axis._replace(sizes=QUICK[axis.name], world=partial(_small, axis.world), first="")
        for axis in AXES
        if axis.name in QUICK and axis.name in names
    )


def _small(world: Callable[[int], World], size: int) -> World:
    """Fewer logs, on one connection: so a batch is never served together with others."""
    made = world(size)
    return made._replace(repeats=max(5, min(10, QUICK_LOGS // made.groups)), connections=1)
