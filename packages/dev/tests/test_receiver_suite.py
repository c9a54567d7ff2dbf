"""The suite for receivers passes for those without a fault, and each check fails for the fault it is made for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from log_aggregator_dev import OpenReceiver, ReceiverContract
from packages.dev.tests.broken_receivers import BROKEN_RECEIVERS
from packages.dev.tests.good_receivers import GoodListener, GoodReader


class ReaderUnderTest(ReceiverContract):
    receiver: type[GoodReader] = GoodReader
    keeps_place = True

    def make_receiver(self, directory: Path) -> GoodReader:
        return self.receiver(directory)

    async def send(self, place: OpenReceiver, logs: Sequence[bytes]) -> None:
        with (place.directory / "app.log").open("ab") as file:
            file.writelines(log + b"\n" for log in logs)

    async def rotate(self, place: OpenReceiver) -> None:
        file = place.directory / "app.log"
        file.rename(file.with_name("app.log.1"))
        file.touch()


class TestGoodReader(ReaderUnderTest):
    pass


class TestGoodListener(ReceiverContract):
    def make_receiver(self, directory: Path) -> GoodListener:
        return GoodListener(directory)

    async def send(self, place: OpenReceiver, logs: Sequence[bytes]) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", place.ports[0])
        writer.writelines(log + b"\n" for log in logs)
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("broken", BROKEN_RECEIVERS, ids=lambda cls: str(cls.__name__))
def test_a_broken_receiver_is_found(broken: Any, tmp_path: Path) -> None:
    suite = type("Suite", (ReaderUnderTest,), {"receiver": broken, "deadline": 1.0})()
    with pytest.raises(AssertionError):
        getattr(suite, broken.finds)(tmp_path)


def test_every_check_has_a_receiver_that_it_must_reject() -> None:
    checks = {name for name in dir(ReceiverContract) if name.startswith("test_")}
    assert {cls.finds for cls in BROKEN_RECEIVERS} == checks


@pytest.mark.parametrize("check", [name for name in dir(ReceiverContract) if name.startswith("test_")])
def test_without_a_receiver_each_check_says_what_is_missing(check: str, tmp_path: Path) -> None:
    mine = type("TestMine", (ReceiverContract,), {"keeps_place": True})()
    with pytest.raises(NotImplementedError, match=r"^TestMine\.\w+\(self.*\) must "):
        getattr(mine, check)(tmp_path)
