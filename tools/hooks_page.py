"""Writes docs/reference/hooks.md from the contract itself: `python tools/hooks_page.py`. A test compares the two."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import log_aggregator
from log_aggregator import Batch, Group, Record, errors, hookspecs, sinks
from log_aggregator.sinks import Aggregate, Alias, Anomaly, Flush, Position

PAGE = Path(__file__).parents[1] / "docs/reference/hooks.md"

HEAD = """\
# Hooks

<!-- Written by tools/hooks_page.py from the contract in the code. Do not edit. -->

A plugin is a class with a pydantic model `Config` and `__init__(self, config)`. The service calls its methods that are
marked with `@hookimpl`. It implements any of the five hooks, each with exactly the signature that stands here.

The order of the plugins in `plugins.toml` is the order of calls, for every hook.

Each worker has its own instance of a plugin. With `instances = "node"` in its class, worker 0 holds the only one and
receives the flushes of all workers; with `instances = "cluster"` there is one in the whole cluster. All workers
serve its calls when the class names them with their scopes: `routes = (("POST", "/notify-test", "admin"),)`.

A stage imports from `log_aggregator`, a sink also from `log_aggregator.sinks`.

## When a plugin fails

`on_error` says what happens to records while a stage cannot handle them. The class sets a default, `plugins.toml` may
set another.

- `"continue"`, the default: the batch goes on as the hook left it.
- `"wait"`: the call is repeated for each record alone. A record at which it raises goes on without the stage. When the
  hook raises `RetryableError`, the stage cannot run: the records stay in the journal until it can. `patterns` and
  `templates` wait, so that a log never gets a wrong pattern id.
- `"refuse"`, for guards such as `redact`: the call is repeated for each record alone. A record at which it raises is
  rejected. When the hook raises `RetryableError`, requests are answered 503 with `Retry-After`.

A stage with `"continue"` that fails or stalls five times in a row is left out for 30 seconds. The others never are.
`/health` and `/stats` name a stage that holds up the event loop: a call of more than 0.25 s is logged, one of more than
0.5 s counts as a stall, and `loop_share` is its share of the loop's time. `/health` names a stage
whose calls take more than 20 ms on average of the last minute, of ten calls at least; it stays healthy.
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


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    parts += [_hook(name) for name in hookspecs.HOOKS]
    parts.append("\n## What `lifespan` gets: `Service`\n\n" + _first_paragraph(hookspecs.Service) + "\n")
    parts += [_member(name, value) for name, value in vars(hookspecs.Service).items() if _is_public(name, value)]
    parts.append(BETWEEN)
    parts.append("\n## What a plugin sees\n")
    parts += [_struct(struct) for struct in (Record, Batch, Group, Flush, Position, Aggregate, Alias, Anomaly)]
    parts.append("\n## What a plugin raises\n")
    parts += [
        _error(value) for name, value in vars(errors).items() if name in {*log_aggregator.__all__, *sinks.__all__}
    ]
    return "".join(parts)


def signature(function: Callable[..., Any]) -> str:
    """A method as a person writes it, without `self`."""
    kind = "async def" if inspect.iscoroutinefunction(function) else "def"
    text = str(inspect.signature(function)).replace("'", "")
    return f"{kind} {function.__name__}{text}"


def _hook(name: str) -> str:
    function = vars(hookspecs.Hookspecs)[name]
    decorator = "@hookimpl\n@asynccontextmanager\n" if name == "lifespan" else "@hookimpl\n"
    shown = signature(function)
    if name == "lifespan":
        shown = "async def lifespan(self, service: Service) -> AsyncIterator[None]"
    return f"\n## `{name}`\n\n```python\n{decorator}{shown}: ...\n```\n\n{inspect.getdoc(function)}\n"


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
    kinds = [item for item in inspect.get_annotations(struct).items() if not item[0].startswith("_")]
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
