"""The suite for stores passes for one without a fault, and each check fails for the fault it is made for."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator_dev import SinkContract, StoreContract
from packages.dev.tests.broken_stores import BROKEN_STORES, GoodStore

CHECKS = [name for name in dir(StoreContract) if name.startswith("test_") and name not in dir(SinkContract)]
BROAD = "test_a_store_gives_back_what_was_stored"
"""The check of `SinkContract` that only stores have."""


class StoreUnderTest(StoreContract):
    store: type[GoodStore] = GoodStore

    def make_sink(self, directory: Path) -> GoodStore:
        return self.store(directory)

    @contextlib.asynccontextmanager
    async def outage(self, directory: Path) -> AsyncIterator[None]:
        (directory / "down").touch()
        yield
        (directory / "down").unlink()


class TestGoodStore(StoreUnderTest):
    pass


@pytest.mark.parametrize("broken", BROKEN_STORES, ids=lambda cls: str(cls.__name__))
def test_a_broken_store_is_found(broken: Any, tmp_path: Path) -> None:
    suite = type("Suite", (StoreUnderTest,), {"store": broken})()
    with pytest.raises(Exception):  # noqa: B017, PT011  an assertion or what the store raised
        getattr(suite, broken.finds)(tmp_path)


def test_every_check_has_a_store_that_it_must_reject() -> None:
    assert {cls.finds for cls in BROKEN_STORES} == {*CHECKS, BROAD}


@pytest.mark.parametrize("check", CHECKS)
def test_without_a_store_each_check_says_what_is_missing(check: str, tmp_path: Path) -> None:
    mine = type("TestMine", (StoreContract,), {})()
    with pytest.raises(NotImplementedError, match=r"^TestMine\.make_sink\(self, directory\) must return the sink"):
        getattr(mine, check)(tmp_path)
