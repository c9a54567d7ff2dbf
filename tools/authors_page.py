"""Writes docs/reference/authors.md from the code: `python tools/authors_page.py`. A test compares the two."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ForwardRef

from pydantic import BaseModel

PAGE = Path(__file__).parents[1] / "docs/reference/authors.md"

HEAD = """\
# What authors import

<!-- Written by tools/authors_page.py from the code. Do not edit. -->

Every public name beside those of [Hooks](hooks.md), which holds `log_aggregator` and `log_aggregator.sinks`. What is
not named on these two pages may change at any time; see [Plugin compatibility](plugin-compatibility.md).
"""

MODULES = {
    "log_aggregator.receivers": "Receivers of any kind",
    "log_aggregator.http.receiving": "Receivers over HTTP",
    "log_aggregator.store": "Stores: queries and answers",
    "log_aggregator.storekit": "Stores: what every store needs",
    "log_aggregator.journals": "Journals",
    "log_aggregator.oncall": "Stores: what they may offer to a person on call",
    "log_aggregator_dev": "The kit: suites, harness, factories",
}
OTHERS = {"log_aggregator.oncall": ("OnCallStore", "CompareQuery", "Comparison", "Mark", "MarkQuery", "Triage")}
HIDDEN = (
    "test_", "_", "model_", "connection_", "data_received", "eof_received", "pause_writing", "resume_writing", "note_",
)  # fmt: skip
"""How names begin that are of the machinery: of pydantic, of asyncio, of the service."""
LONGEST_VALUE = 120


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_module(name, title) for name, title in MODULES.items())


def _module(name: str, title: str) -> str:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", None) or OTHERS.get(name) or _own(module)
    parts = [f"\n## {title}\n\nFrom `{name}`. {_text(module)}\n"]
    values = [(one, getattr(module, one)) for one in sorted(names, key=str.lower)]
    parts += [_entry(one, value) for one, value in values if not isinstance(value, types.ModuleType)]
    return "".join(parts)


def _own(module: types.ModuleType) -> list[str]:
    """The public classes and functions that a module defines itself."""
    defined = vars(module).items()
    return [name for name, value in defined if getattr(value, "__module__", "") == module.__name__ and name[0] != "_"]


def _entry(name: str, value: Any) -> str:
    if inspect.isclass(value):
        lines = [f"- {one}\n" for one in _members(value)]
        return f"\n### `{name}`\n\n{inspect.getdoc(value) or ''}\n" + ("\n" + "".join(lines) if lines else "")
    if inspect.isfunction(value):
        return f"\n### `{_signature(name, value)}`\n\n{inspect.getdoc(value) or ''}\n"
    shown = _kind(value) if hasattr(value, "__origin__") else repr(value)
    return f"\n### `{name}`\n\n`{shown}`\n" if len(shown) <= LONGEST_VALUE else f"\n### `{name}`\n\nA type.\n"


def _members(cls: type) -> Iterator[str]:
    if issubclass(cls, BaseModel):
        for name, field in cls.model_fields.items():
            default = "" if field.is_required() else f" = {field.get_default(call_default_factory=True)!r}"
            told = f": {field.description}" if field.description else ""
            yield f"`{name}: {_kind(field.annotation)}{default}`{told}"
    else:
        kinds = inspect.get_annotations(cls)
        names = getattr(cls, "_fields", [name for name in kinds if not name.startswith(HIDDEN)])
        yield from (f"`{name}: {_kind(kinds.get(name, Any))}`" for name in names)
    for base in reversed([one for one in cls.__mro__ if one.__module__.startswith("log_aggregator")]):
        for name, value in vars(base).items():
            is_own = getattr(cls, name, None) is getattr(base, name, None)
            if is_own and not name.startswith(HIDDEN) and _text(value):
                yield from _member(name, value, getattr(base, name))


def _member(name: str, value: Any, function: Any) -> Iterator[str]:
    if isinstance(value, property):
        yield f"`.{name}`: {_text(value)}"
    elif inspect.isfunction(value) or isinstance(value, staticmethod | classmethod):
        yield f"`{_signature(name, function, is_member=True)}`: {_text(value)}"


def _signature(name: str, function: Any, *, is_member: bool = False) -> str:
    try:
        text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    except ValueError:
        text = "(…)"
    wait = "await " if inspect.iscoroutinefunction(inspect.unwrap(function)) else ""
    return wait + ("." if is_member else "") + name + text.replace("(self, ", "(").replace("(self)", "()")


def _kind(kind: Any) -> str:
    if isinstance(kind, str | ForwardRef):
        return str(getattr(kind, "__forward_arg__", kind))
    plain = getattr(kind, "__name__", "") if inspect.isclass(kind) and not getattr(kind, "__args__", ()) else ""
    shown = plain or re.sub(r"\b(typing|log_aggregator(\.\w+)*)\.", "", str(kind))
    return re.sub(r"^Optional\[(.*)\]$", r"\1 | None", shown)


def _text(thing: Any) -> str:
    """A docstring as one line."""
    return " ".join((inspect.getdoc(thing) or "").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
