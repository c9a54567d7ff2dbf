"""Whether the stages are those of the last start: their code and their options."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from log_aggregator.plugins.registry import Plugin, Registry

_READ = frozenset({".py", ".toml"})
_HOOKS = ("on_ingest", "normalize")


def fingerprint(registry: Registry) -> str:
    """A digest of all that decides about patterns: the files of the stages, their options, the files that these name.

    Reads files: call it in a thread. A file that cannot be read counts as empty.
    """
    digest = hashlib.sha256()
    for plugin in registry.plugins:
        if any(plugin.hook(hook) for hook in _HOOKS):
            digest.update(f"{plugin.name}\n{json.dumps(plugin.entry.options, sort_keys=True, default=str)}\n".encode())
            for path in (*_code_of(plugin), *_files_in(plugin.entry.options)):
                digest.update(path.name.encode() + b"\n" + _content(path))
    return digest.hexdigest()


def _code_of(plugin: Plugin) -> list[Path]:
    module = sys.modules.get(type(plugin.instance).__module__.partition(".")[0])
    file = getattr(module, "__file__", None)
    if not file:
        return []
    path = Path(file)
    if path.name != "__init__.py":
        return [path]
    return sorted(one for one in path.parent.rglob("*") if one.suffix in _READ)


def _files_in(options: Any) -> Iterator[Path]:
    """The files that options name, such as `rule_files`."""
    if isinstance(options, dict):
        options = [*options.values()]
    if isinstance(options, list):
        for option in options:
            yield from _files_in(option)
    elif isinstance(options, str) and options.endswith(".toml"):
        yield Path(options)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
