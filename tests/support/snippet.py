"""Runs one Python block of a page; a script in a process of its own: `python -m tests.support.snippet NAME < block`.

What is done depends on what the block shows:

- a script is executed, and each plugin class that it defines is loaded through the registry;
- the signature of a hook (`@hookimpl` first) becomes a plugin, which is loaded through the registry;
- members of `service` are compared with the service that a running plugin gets;
- the fields of a type (indented, below the heading NAME) are compared with the type of that name.

Fails with the error of the block, so that a test shows it.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from contextlib import asynccontextmanager
from typing import Any

import log_aggregator
import log_aggregator.sinks
from log_aggregator import hookimpl
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.plugins.registry import Registry
from log_aggregator_dev import harness

SIGNATURE, MEMBER, FIELDS, SCRIPT = "signature", "member", "fields", "script"

HEAD = "from __future__ import annotations\nfrom contextlib import asynccontextmanager\nfrom log_aggregator import *\n"
"""In front of a signature, which names what it is imported from in the text around it."""

_MARK = "log_aggregator_impl"
_PARAMETER = re.compile(r"(\w+): ")


def kind_of(code: str) -> str:
    """Which of the four forms a block has."""
    if code.startswith("@hookimpl\n"):
        return SIGNATURE
    if re.match(r"(await )?service\.\w", code):
        return MEMBER
    return FIELDS if code.startswith("    ") else SCRIPT


def run_script(code: str) -> None:
    """Execute a block. Raises what the block raises, and `ConfigError` when a plugin in it does not load."""
    space: dict[str, Any] = {"__name__": "page"}
    exec(compile(code, "page", "exec"), space)
    for value in list(space.values()):
        if inspect.isclass(value) and value.__module__ == "page" and _is_plugin(value):
            load(value)


def load_signature(code: str) -> None:
    """Load a plugin whose only hook is the block. Raises `ConfigError` when the registry refuses it."""
    if "@asynccontextmanager" in code:
        code = code.replace(": ...\n", ":\n    yield\n")
    body = "".join(f"    {line}\n" for line in code.splitlines())
    space: dict[str, Any] = {}
    exec(compile(f"{HEAD}class Shown:\n{body}", "page", "exec"), space)
    load(space["Shown"])


def load(plugin: type) -> None:
    """Load a plugin class as `plugins.toml` would, or an object of it when it takes no configuration."""
    given = plugin if hasattr(plugin, "Config") else plugin()
    registry = Registry(parse_plugins("[plugins.shown]\n[plugins.patterns]\n"), {}, {"shown": given})
    assert registry.plugins[0].name == "shown"


async def check_members(code: str) -> None:
    """Compare what is shown of `service` with the object that `lifespan` of a running plugin gets."""
    missing: list[str] = []

    class Witness:
        @hookimpl
        @asynccontextmanager
        async def lifespan(self, service: Any) -> Any:
            missing.extend(_differences(code, service))
            yield

    async with harness(given={"witness": Witness()}):
        assert not missing, "\n".join(missing)


def _differences(code: str, service: Any) -> list[str]:
    found = []
    for waits, name, rest in re.findall(r"^(await )?service\.(\w+)(.*)$", code, re.MULTILINE):
        value = getattr(type(service), name, None) or getattr(service, name, None)
        if not callable(value):
            if not hasattr(service, name) or rest.startswith("("):
                found.append(f"service.{name}: the service has no such member")
            continue
        arguments = ast.parse(f"def shown{rest}: ...").body[0].args  # type: ignore[attr-defined]
        shown = [one.arg for one in arguments.args + arguments.kwonlyargs]
        real = [one for one in inspect.signature(value).parameters if one != "self"]
        if shown != real or bool(waits) != inspect.iscoroutinefunction(value):
            found.append(f"service.{name}: the page shows {shown}, the service has {real}")
    return found


def check_fields(code: str, name: str) -> None:
    """Compare the fields that are shown of a type with its attributes and annotations."""
    real = getattr(log_aggregator, name, None) or getattr(log_aggregator.sinks, name)
    space: dict[str, Any] = {}
    exec(compile(f"from __future__ import annotations\nclass Shown:\n{code}", "page", "exec"), space)
    shown = {one for one in {**space["Shown"].__dict__, **space["Shown"].__annotations__} if not one.startswith("_")}
    known = {*dir(real), *inspect.get_annotations(real)}
    assert shown, "no field is shown"
    assert shown <= known, f"{name} has no {sorted(shown - known)}"


def _is_plugin(value: type) -> bool:
    return hasattr(value, "hookspecs") or any(hasattr(member, _MARK) for member in vars(value).values())


def run(code: str, name: str) -> None:
    """Do with a block what its form asks for; `name` is that of the heading above it. Raises what is wrong with it."""
    kind = kind_of(code)
    if kind == SIGNATURE:
        load_signature(code)
    elif kind == MEMBER:
        asyncio.run(check_members(code))
    elif kind == FIELDS:
        check_fields(code, name)
    else:
        run_script(code)


if __name__ == "__main__":
    run(sys.stdin.read(), sys.argv[1])
