"""A plugin in a single Python file: the class that the file holds."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from pydantic import BaseModel

from log_aggregator.plugins.isolation.where_raised import SINGLE_FILE


class _SourceLoader(SourceFileLoader):
    """Compiles the file each time. A cache knows a file by second and size: of two quick saves it keeps the first."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def plugin_class(path: Path) -> Any:
    """Run a file and return the plugin in it: its only class with a pydantic model `Config`.

    Each call runs the file anew. Raises `ImportError` when it holds none or several, and whatever the file raises.
    """
    name = module_of(path)
    spec = importlib.util.spec_from_file_location(name, path, loader=_SourceLoader(name, str(path)))
    if spec is None or spec.loader is None or path.suffix != ".py":
        raise ImportError(f"{path}: not a Python file; expected a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are resolved there
    spec.loader.exec_module(module)
    found = [thing for thing in vars(module).values() if _is_plugin(thing, name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.__name__ for one in found)
    raise ImportError(
        f"{path.name} has several plugins: {names}; expected one a file"
        if found
        else f"{path.name} has no plugin; expected a class with a pydantic model `Config` and `__init__(self, config)`"
    )


def module_of(path: Path) -> str:
    """The name of the module of a file."""
    return SINGLE_FILE + "".join(letter if letter.isalnum() else "_" for letter in path.stem)


def _is_plugin(thing: Any, module: str) -> bool:
    if not inspect.isclass(thing) or thing.__module__ != module:
        return False
    config = getattr(thing, "Config", None)
    return inspect.isclass(config) and issubclass(config, BaseModel)
