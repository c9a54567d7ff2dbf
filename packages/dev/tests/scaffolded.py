"""The plugins that `log-aggregator new` writes, as modules of this process."""

from __future__ import annotations

import sys
from types import ModuleType

from log_aggregator_dev.scaffold import Names, files_of


def scaffolded(kind: str, name: str) -> ModuleType:
    """The module of a new package, as if it were installed."""
    names = Names.of(name)
    package = names.values(kind)["package"]
    module = ModuleType(package)
    sys.modules[package] = module
    path = f"src/{package}/__init__.py"
    exec(compile(files_of(kind, names)[path], path, "exec"), vars(module))
    return module
