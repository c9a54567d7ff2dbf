"""The suites pass for plugins without a fault, and each check of each suite fails for the fault it is made for."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from log_aggregator_dev import OpenSink, RulePackContract, SinkContract, StageContract
from packages.dev.tests.broken_sinks import BROKEN
from packages.dev.tests.broken_stages import BROKEN_PACKS, BROKEN_STAGES
from packages.dev.tests.good import SECRET, GoodPack, GoodSink, GoodStage


class SinkUnderTest(SinkContract):
    sink: type[GoodSink] = GoodSink

    def make_sink(self, directory: Path) -> GoodSink:
        return self.sink(directory)

    async def read_back(self, opened: OpenSink) -> dict[str, int]:
        counts: dict[str, int] = json.loads(opened.sink.file.read_text())["counts"]
        return counts

    @contextlib.asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        (directory / "down").touch()
        yield
        (directory / "down").unlink()


class StageUnderTest(StageContract):
    stage: type[GoodStage] = GoodStage
    secrets = (SECRET,)

    def make_stage(self) -> GoodStage:
        return self.stage()


class PackUnderTest(RulePackContract):
    pack: type[GoodPack] = GoodPack
    examples: ClassVar[dict[str, str]] = {
        "order ORD-20240101 shipped": "order {ORDER} shipped",
        "paid at till-abc": "paid at {TILL}",
        "moved from till-abc": "moved from {TILL}",
    }
    unchanged = ("a well-bad word", "nothing to see")

    def make_pack(self) -> GoodPack:
        return self.pack()


class TestGoodSink(SinkUnderTest):
    pass


class TestGoodStage(StageUnderTest):
    pass


class TestGoodPack(PackUnderTest):
    pass


class TestForgetfulSinkThatSaysSo(SinkUnderTest):
    """A sink that counts again passes when it says so."""

    exactly_once = False
    sink = next(broken for broken in BROKEN if broken.__name__ == "CountsTwice")


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: str(cls.__name__))
def test_a_broken_sink_is_found(broken: Any, tmp_path: Path) -> None:
    suite = type("Suite", (SinkUnderTest,), {"sink": broken, "deadline": 30.0, "soon": 1.0})()
    with pytest.raises(Exception):  # noqa: B017, PT011  an assertion or what the sink raised
        _run(suite, broken.finds, tmp_path)


@pytest.mark.parametrize("broken", BROKEN_STAGES, ids=lambda cls: str(cls.__name__))
def test_a_broken_stage_is_found(broken: Any, tmp_path: Path) -> None:
    suite = type("Suite", (StageUnderTest,), {"stage": broken})()
    with pytest.raises(Exception):  # noqa: B017, PT011  an assertion or what the stage raised
        _run(suite, broken.finds, tmp_path)


@pytest.mark.parametrize("broken", BROKEN_PACKS, ids=lambda cls: str(cls.__name__))
def test_a_broken_rule_pack_is_found(broken: Any, tmp_path: Path) -> None:
    suite = type("Suite", (PackUnderTest,), {"pack": broken})()
    with pytest.raises(AssertionError):
        _run(suite, broken.finds, tmp_path)


@pytest.mark.parametrize(
    ("suite", "broken"),
    [(SinkContract, BROKEN), (StageContract, BROKEN_STAGES), (RulePackContract, BROKEN_PACKS)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_check_has_a_plugin_that_it_must_reject(suite: type, broken: list[Any]) -> None:
    checks = {name for name in dir(suite) if name.startswith("test_")}
    assert {cls.finds for cls in broken} == checks - {"test_a_store_gives_back_what_was_stored"}  # see test_store_suite


@pytest.mark.parametrize(
    ("suite", "check"),
    [(suite, check) for suite in (SinkContract, StageContract, RulePackContract) for check in dir(suite)
     if check.startswith("test_")],
    ids=lambda value: getattr(value, "__name__", value),
)  # fmt: skip
def test_without_a_plugin_each_check_says_what_is_missing(suite: type, check: str, tmp_path: Path) -> None:
    mine = type("TestMine", (suite,), {"examples": {"a": "b"}})()
    with pytest.raises(NotImplementedError, match=r"^TestMine\.make_\w+\(self.*\) must return the .* under test$"):
        _run(mine, check, tmp_path)


def _run(suite: Any, check: str, directory: Path) -> None:
    method = getattr(suite, check)
    method(directory) if "tmp_path" in inspect.signature(method).parameters else method()
