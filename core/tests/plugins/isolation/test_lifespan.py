"""A plugin that fails around the service's life stops the start with one line, or is named when it closes."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator import ConfigError, Service, hookimpl
from log_aggregator_dev import harness


class Failing:
    def __init__(self, error: BaseException, *, before: bool) -> None:
        self.error = error
        self.before = before

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        if self.before:
            raise self.error
        yield
        raise self.error


HERE = re.compile(r"(SystemExit|KeyError) at \S+/test_lifespan\.py:\d+")
"""How an exception of this file is named: its text is a password."""


class Figures:
    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        service.add_stats("figures", self.figures)
        service.add_health_check("figures", self.check)
        yield

    def figures(self) -> dict[str, Any]:
        raise SystemExit(1)

    async def check(self) -> str | None:
        raise SystemExit(1)


@pytest.mark.parametrize("error", [OSError("no route"), SystemExit(1), ConfigError("no route")])
async def test_before_the_start(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(ConfigError) as caught:
        async with harness(given={"bad": Failing(error, before=True)}, data_dir=tmp_path):
            pass
    assert str(caught.value).startswith("plugins.toml [plugins.bad]: ")
    assert str(error) in str(caught.value)


@pytest.mark.parametrize("error", [OSError("no route"), SystemExit(1)])
async def test_after_the_end(tmp_path: Path, error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with harness(given={"bad": Failing(error, before=False)}, data_dir=tmp_path) as h:
        await h.post("hello")
    (record,) = [record for record in caplog.records if record.message == "plugin failed to close"]
    assert record.__dict__["plugin"] == "bad"


async def test_figures_and_checks_that_fail_cost_only_themselves(tmp_path: Path) -> None:
    async with harness(given={"figures": Figures()}, data_dir=tmp_path) as h:
        figures = (await h.get("/stats"))["plugins"]["figures"]["figures"]
        check = (await h.get("/health"))["checks"]["figures"]
    assert HERE.fullmatch(figures["error"])
    assert HERE.fullmatch(check["detail"])


class BrokenStore:
    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        service.register_store(self)  # type: ignore[arg-type]  # only `health` is asked
        yield

    async def health(self) -> Any:
        raise KeyError("a password")


async def test_a_store_that_fails_to_say_how_it_is_does_not_break_the_health_of_others(tmp_path: Path) -> None:
    async with harness(given={"store": BrokenStore()}, data_dir=tmp_path) as h:
        answer = await h.request("GET", "/health")
        assert answer.status == 200
        check = answer.body["checks"]["database"]
    assert (check["ok"], check["latency_ms"]) == (False, None)
    assert HERE.fullmatch(check["detail"])
