"""How an exception of a plugin is named in the log, in `/health` and in `/stats`: never by its text.

The text of an exception may hold what a log said. Its type and where it was raised never do.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

SINGLE_FILE = "log_aggregator_file_"
"""How the module of a plugin in a single file is named: the name of the file follows."""


def where_raised(error: BaseException, package: str) -> str:
    """The type of an exception, and file and line of the deepest frame in the plugin's top-level package.

    Such as `KeyError at log_aggregator_foo/plugin.py:41`; the type alone when no frame belongs to the package. Of an
    exception group the first exception is named.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    name = type(error).__name__
    deepest = _deepest(error.__traceback__, package)
    return f"{name} at {deepest}" if deepest else name


def package_of(thing: Any) -> str:
    """The top-level package of a class, a function, a method or an object's class; empty when it is not known."""
    thing = getattr(thing, "func", thing)  # of a functools.partial
    return str(getattr(thing, "__module__", None) or "").partition(".")[0]


def _deepest(traceback: TracebackType | None, package: str) -> str:
    found = ""
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if package and module.partition(".")[0] == package:
            inside = traceback.tb_frame.f_code.co_filename.endswith("__init__.py")
            path = module.removeprefix(SINGLE_FILE).replace(".", "/") + ("/__init__.py" if inside else ".py")
            found = f"{path}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found
