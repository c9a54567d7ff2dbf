"""Writes docs/hooks.md from the contract itself: `python tools/hooks_page.py`. A test compares the two."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import log_aggregator
from log_aggregator import Aggregate, Alias, Alike, Anomaly, Batch, Flush, Position, Record, errors, hookspecs

PAGE = Path(__file__).parents[1] / "docs" / "hooks.md"

HEAD = """\
# Hooks

<!-- Written by tools/hooks_page.py from the contract in the code. Do not edit. -->

A plugin is a class with a pydantic model `Config` and `__init__(self, config)`. The service calls its methods that are
marked with `@hookimpl`. It implements any of the five hooks; each has exactly the signature that stands here, but that
`normalize` and `enrich` take one of the two parameters.

The order of the plugins in `plugins.toml` is the order of calls, for every hook.

With several workers each has a plugin of its own. A class with `alone = True` lives in the first worker only and is
given the flushes of all.

Everything on this page is imported from `log_aggregator`.
"""

BETWEEN = """
## Hooks between plugins

A plugin may have hooks of its own, for other plugins. So `patterns` asks rule packs for rules:

```python
import pluggy
from log_aggregator import Hooks

hookspec = pluggy.HookspecMarker("log_aggregator")


class GreeterHooks:
    @hookspec
    def greetings(self) -> list[str]:
        "Other plugins implement this with @hookimpl."


class Greeter:
    hookspecs = GreeterHooks

    def assemble(self, hooks: Hooks) -> None:
        self.known = {plugin: greetings for plugin, greetings in hooks.call("greetings")}
```

`assemble` is called once, when all plugins are made, and in `log-aggregator check` too. `ConfigError` stops the start.
"""

QUESTIONS = ("Takes", "Called", "May change", "`None`", "Raising", "Overlap")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    parts += [_hook(name) for name in hookspecs.HOOKS]
    parts.append("\n## What `lifespan` gets: `Service`\n\n" + _first_paragraph(hookspecs.Service) + "\n")
    parts += [_member(name, value) for name, value in vars(hookspecs.Service).items() if _is_public(name, value)]
    parts.append(BETWEEN)
    parts.append("\n## What a plugin sees\n")
    parts += [_struct(struct) for struct in (Record, Batch, Alike, Flush, Position, Aggregate, Alias, Anomaly)]
    parts.append("\n## What a plugin raises\n")
    parts += [_error(value) for name, value in vars(errors).items() if name in log_aggregator.__all__]
    return "".join(parts)


def signature(function: Callable[..., Any]) -> str:
    """A method as a person writes it, without `self`."""
    colour = "async def" if inspect.iscoroutinefunction(function) else "def"
    text = str(inspect.signature(function)).replace("'", "")
    return f"{colour} {function.__name__}{text}"


def _hook(name: str) -> str:
    function = vars(hookspecs.Hookspecs)[name]
    summary, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
    decorator = "@hookimpl\n@asynccontextmanager\n" if name == "lifespan" else "@hookimpl\n"
    shown = signature(function)
    if name == "lifespan":
        shown = "async def lifespan(self, service: Service) -> AsyncIterator[None]"
    return f"\n## `{name}`\n\n```python\n{decorator}{shown}: ...\n```\n\n{summary}\n\n{_answers(rest)}"


def _answers(text: str) -> str:
    answers = re.split(rf"^(?=(?:{'|'.join(QUESTIONS)})[: ])", text, flags=re.MULTILINE)
    lines = []
    for answer in filter(None, map(str.strip, answers)):
        question = next((one for one in QUESTIONS if answer.startswith(one)), "")
        said = " ".join(answer.removeprefix(question).split())
        mark = ":" if said.startswith(":") else ""
        lines.append(f"- **{question}**{mark} {said.removeprefix(':').strip()}\n")
    return "".join(lines)


def _member(name: str, value: Any) -> str:
    if isinstance(value, property):
        kind = inspect.signature(value.fget).return_annotation if value.fget else "Any"
        shown = f"service.{name}: {kind}"
    else:
        shown = signature(value).replace("(self, ", "(").replace("(self)", "()").replace("def ", "def service.", 1)
        shown = shown.replace("async def ", "await ").replace("def ", "")
    return f"\n```python\n{shown}\n```\n\n{' '.join((inspect.getdoc(value) or '').split())}\n"


def _is_public(name: str, value: Any) -> bool:
    return not name.startswith("_") and (callable(value) or isinstance(value, property))


def _struct(struct: type) -> str:
    kinds = inspect.get_annotations(struct).items()
    fields = "\n".join(f"    {name}: {getattr(kind, '__forward_arg__', kind)}" for name, kind in kinds)
    block = f"```python\n{fields}\n```\n\n" if fields else ""
    text = f"\n### `{struct.__name__}`\n\n{block}{inspect.getdoc(struct)}\n"
    more = [_derived(name, value) for name, value in vars(struct).items() if _is_derived(name, value)]
    return text + ("\n" + "".join(more) if more else "")


def _is_derived(name: str, value: Any) -> bool:
    return not name.startswith("_") and (isinstance(value, property) or inspect.isfunction(value))


def _derived(name: str, value: Any) -> str:
    """A property or method of a struct, as a line of a list."""
    if isinstance(value, property):
        kind = inspect.signature(value.fget).return_annotation if value.fget else "Any"
        shown = f".{name}: {kind}"
    else:
        shown = signature(value).replace("(self, ", "(").replace("(self)", "()").replace("def ", ".", 1)
    return f"- `{shown}`: {' '.join((inspect.getdoc(value) or '').split())}\n"


def _error(error: type) -> str:
    (base,) = error.__bases__
    return f"\n### `{error.__name__}({base.__name__})`\n\n{inspect.getdoc(error)}\n"


def _first_paragraph(thing: type) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
