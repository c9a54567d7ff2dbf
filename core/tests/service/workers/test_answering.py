"""One worker asks another over a real socket: the answers and the errors arrive as they were."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from log_aggregator import Record, Reject
from log_aggregator.config.place import Place
from log_aggregator.errors import FencedError, KeyReusedError, OverloadedError, PermanentError, RetryableError
from log_aggregator.http.backend import HealthReport
from log_aggregator.ingest.ingester import Receipt
from log_aggregator.model.sent_aggregates import Link, SentAggregates
from log_aggregator.service.workers.answering import answering
from log_aggregator.service.workers.peers import Peers
from log_aggregator.sinks import Aggregate, Alias, Flush, Position


class Other:
    """The other worker: keeps what it is sent, or raises `error`."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.requests: list[tuple[list[Record], str | None, bytes]] = []
        self.deliveries: list[tuple[str, SentAggregates, Link]] = []
        self.flushes: list[Flush] = []

    async def submit(self, records: list[Record], *, key: str | None = None, digest: bytes = b"") -> Receipt:
        self._raise()
        self.requests.append((records, key, digest))
        return Receipt(len(records), [(1, "no")], False, True)

    async def submit_aggregates(self, plugin: str, sent: SentAggregates, link: Link) -> Receipt:
        self._raise()
        self.deliveries.append((plugin, sent, link))
        return Receipt(sent.logs, [(0, "no")], False, True)

    async def flush(self, deadline: float) -> dict[str, Any]:
        return {"deadline": deadline}

    def stats(self) -> dict[str, Any]:
        return {"instance": "other"}

    async def health(self) -> HealthReport:
        return HealthReport("healthy", True, {"queue": {"ok": True}})

    async def on_flush(self, flush: Flush) -> None:
        self._raise()
        self.flushes.append(flush)

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error


@asynccontextmanager
async def connected(directory: Path, other: Other) -> AsyncIterator[Peers]:
    """The peers of worker 1, to which worker 0 is `other`."""
    sockets = str(directory)
    async with (
        answering(other, Place(0, 2, None, sockets), {"store": other.on_flush}),
        Peers(Place(1, 2, None, sockets)).opened() as peers,
    ):
        yield peers


async def test_every_question_is_answered(tmp_path: Path) -> None:
    async with connected(tmp_path, Other()) as peers:
        assert await peers.stats() == [{"instance": "other"}]
        assert await peers.health() == [HealthReport("healthy", True, {"queue": {"ok": True}})]
        assert await peers.flush(1.5) == [{"deadline": 1.5}]


async def test_a_request_and_its_receipt_arrive_whole(tmp_path: Path) -> None:
    other, sent = Other(), [Record("text", "WARN", "shop", 5, {"n": 1})]
    async with connected(tmp_path, other) as peers:
        receipt = await peers.submit(0, sent, "key", b"digest")
    (((record,), key, digest),) = other.requests
    assert (record.message, record.level, record.source, record.timestamp, record.metadata, key, digest) == (
        "text", "WARN", "shop", 5, {"n": 1}, "key", b"digest",
    )  # fmt: skip
    assert (receipt.accepted, receipt.durable, [*map(tuple, receipt.rejected)]) == (1, True, [(1, "no")])


@pytest.mark.parametrize("error", [KeyReusedError("k"), Reject("banned"), OverloadedError("full")])
async def test_why_a_request_was_refused_arrives_as_it_was_raised(tmp_path: Path, error: Exception) -> None:
    other = Other()
    other.error = error
    async with connected(tmp_path, other) as peers:
        with pytest.raises(type(error)):
            await peers.submit(0, [], "key", b"")


async def test_aggregates_and_their_place_arrive_whole(tmp_path: Path) -> None:
    other = Other()
    sent = SentAggregates(300, (Aggregate(0, "p {ID}", "INFO", "shop", 3, 5, 6, minutes=(3,)),), (Alias("a", "b", 1),))
    link = Link("edge", Position(7, 2), Position(7, 1))
    async with connected(tmp_path, other) as peers:
        receipt = await peers.submit_aggregates("edges", sent, link)
        other.error = FencedError("copied")
        with pytest.raises(FencedError, match="copied"):
            await peers.submit_aggregates("edges", sent, link)
    assert other.deliveries == [("edges", sent, link)]
    assert (receipt.accepted, [*map(tuple, receipt.rejected)]) == (3, [(0, "no")])


@pytest.mark.parametrize(
    ("error", "raised"),
    [(PermanentError("bad"), PermanentError), (RetryableError("away"), RetryableError), (KeyError(), RetryableError)],
)
async def test_what_a_shared_sink_raises_arrives(tmp_path: Path, error: Exception, raised: type[Exception]) -> None:
    other, flush = Other(), Flush("i", Position(1, 1), None, 0, 1, 0, (), (), ())
    async with connected(tmp_path, other) as peers:
        await peers.deliver("store", flush)
        other.error = error
        with pytest.raises(raised):
            await peers.deliver("store", flush)
    assert other.flushes == [flush]


async def test_a_worker_that_does_not_answer_is_left_out_and_degrades(tmp_path: Path) -> None:
    async with Peers(Place(1, 2, None, str(tmp_path))).opened() as peers:
        assert await peers.stats() == []
        (report,) = await peers.health()
        assert report.checks["workers"] == {"ok": False, "detail": "1 of 2 workers do not answer"}
        with pytest.raises(OverloadedError):
            await peers.submit(0, [], "key", b"")
