"""Exceptions of plugins are named by type, file and line, never by their text."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from log_aggregator.plugins.isolation.where_raised import package_of, where_raised

INIT = "from made_up_plugin import parts\n\n\nclass Plugin:\n    def read(self, of):\n        return of['secret']\n"
PARTS = "import json\n\n\ndef load(text):\n    return json.loads(text)\n"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    package = tmp_path / "made_up_plugin"
    package.mkdir()
    (package / "__init__.py").write_text(INIT)
    (package / "parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("made_up_plugin")
    for name in ("made_up_plugin", "made_up_plugin.parts"):
        sys.modules.pop(name, None)


def raised(call: Callable[..., object], *arguments: object) -> Exception:
    try:
        call(*arguments)
    except (KeyError, ValueError) as error:
        return error
    raise AssertionError("nothing was raised")


def test_the_deepest_frame_of_the_package_is_named(plugin: ModuleType) -> None:
    assert where_raised(raised(plugin.Plugin().read, {}), "made_up_plugin") == (
        "KeyError at made_up_plugin/__init__.py:6"
    )
    error = raised(plugin.parts.load, "not json: hunter2")
    assert where_raised(error, "made_up_plugin") == "JSONDecodeError at made_up_plugin/parts.py:5"


def test_without_a_frame_of_the_package_the_type_is_all(plugin: ModuleType) -> None:
    error = raised(plugin.parts.load, "x")
    assert where_raised(error, "other_plugin") == "JSONDecodeError"
    assert where_raised(error, "") == "JSONDecodeError"
    assert where_raised(ValueError("never raised: hunter2"), "made_up_plugin") == "ValueError"


def test_of_a_group_the_first_is_named(plugin: ModuleType) -> None:
    group = ExceptionGroup("hunter2", [ExceptionGroup("in", [raised(plugin.parts.load, "x")]), OSError()])
    assert where_raised(group, "made_up_plugin") == "JSONDecodeError at made_up_plugin/parts.py:5"


def test_the_package_of_what_a_plugin_hands_in(plugin: ModuleType) -> None:
    instance = plugin.Plugin()
    for thing in (instance, plugin.Plugin, instance.read, plugin.parts.load, functools.partial(instance.read, {})):
        assert package_of(thing) == "made_up_plugin", thing
