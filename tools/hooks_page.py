"""Writes docs/hooks.md from the contract itself: `python tools/hooks_page.py`. A test compares the two."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import log_aggregator
from log_aggregator import Aggregate, Alias, Anomaly, Flush, Record, errors, hookspecs

PAGE = Path(__file__).parents[1] / "docs" / "hooks.md"

HEAD = """\
# Hooks

<!-- Written by tools/hooks_page.py from the contract in the code. Do not edit. -->

A plugin is a class with a pydantic model `Config` and `__init__(self, config)`. The service calls its methods that are
marked with `@hookimpl`. It implements any of the five hooks; each has exactly the signature that stands here.

The order of the plugins in `plugins.toml` is the order of calls, for every hook.

Everything on this page is imported from `log_aggregator`.
"""

QUESTIONS = ("Called", "May change", "`None`", "Raising", "Overlap")


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    parts += [_hook(name) for name in hookspecs.HOOKS]
    parts.append("\n## What `lifespan` gets: `Service`\n\n" + _first_paragraph(hookspecs.Service) + "\n")
    parts += [_member(name, value) for name, value in vars(hookspecs.Service).items() if _is_public(name, value)]
    parts.append("\n## What a plugin sees\n")
    parts += [_struct(struct) for struct in (Record, Flush, Aggregate, Alias, Anomaly)]
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
    fields = "\n".join(f"    {name}: {kind}" for name, kind in inspect.get_annotations(struct).items())
    return f"\n### `{struct.__name__}`\n\n```python\n{fields}\n```\n\n{inspect.getdoc(struct)}\n"


def _error(error: type) -> str:
    (base,) = error.__bases__
    return f"\n### `{error.__name__}({base.__name__})`\n\n{inspect.getdoc(error)}\n"


def _first_paragraph(thing: type) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
