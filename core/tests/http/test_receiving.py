"""What the HTTP receivers of all protocols share, shown with a protocol of lines, in a real service."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from log_aggregator import Batch, Record, Reject, RetryableError, Service, hookimpl
from log_aggregator.http.access.keys import add_key
from log_aggregator.http.receiving import SNIFF, BadLogError, HttpProtocol, HttpReceiver, Problem, SentBody, Taken
from tests.support.sender import Sender, sending

TIME = 1_790_000_000


class Lines:
    """Takes lines `source message`; `!` raises, a line without a space is bad, the source `now` has no time."""

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        receiver = HttpReceiver(service)
        receiver.add_route("POST", "/lines", HttpProtocol(self.read, self.answer))
        receiver.add_route("POST", "/sniff", HttpProtocol(self.read, self.answer, encoding=lambda _: SNIFF))
        doubled = HttpProtocol(self.read, self.answer, unpack=lambda _, body, most: body * 2)
        receiver.add_route("POST", "/doubled", doubled)
        receiver.add_route("POST", "/json", HttpProtocol(self.read_json, self.answer))
        service.add_stats("lines", receiver.stats)
        yield

    def read(self, sent: SentBody) -> Iterator[Record | BadLogError]:
        if sent.body.startswith(b"?"):
            raise Problem(400, "not lines")
        for line in sent.lines():
            source, _, message = line.decode().partition(" ")
            if source == "!":
                raise KeyError(message)
            if source == "now":
                sent.all_timed = False
            yield Record.of(message, source=source, timestamp=TIME) if message else BadLogError("no message")

    def read_json(self, sent: SentBody) -> Iterator[Record | BadLogError]:
        for one in sent.json():
            yield Record.of(str(one))

    def answer(self, sent: SentBody, taken: Taken) -> web.Response:
        return web.json_response([taken.accepted, taken.rejected, taken.duplicate])


class Strict:
    """Refuses sources by what they are called."""

    on_error = "refuse"

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            if record.source == "full":
                raise RetryableError("full")
            if record.source == "banned":
                raise Reject("banned here")
            if record.source == "bad":
                batch.reject(record, "a bad source")


@asynccontextmanager
async def serving(**more: Any) -> AsyncIterator[Sender]:
    async with sending(given={"lines": Lines(), "strict": Strict()}, **more) as sender:
        yield sender


async def post(service: Sender, path: str, body: bytes, **headers: str) -> tuple[int, Any, Any]:
    answer = await service.post(path, body, **headers)
    return answer.status, answer.json, answer.headers


async def test_a_bad_log_costs_itself_wherever_it_is_found() -> None:
    async with serving() as service:
        status, answer, _ = await post(service, "/lines", b"a one\nshort\nbad two\n\na three\n")
        assert (status, answer) == (200, [2, [[1, "no message"], [2, "a bad source"]], False])
        figures = await service.figures("lines")
    assert figures == {
        "requests": 1,
        "accepted": 2,
        "duplicates": 0,
        "rejected": 2,
        "refused_requests": 0,
        "last_reasons": ["no message", "a bad source"],
    }


async def test_the_same_bytes_again_are_a_duplicate_only_where_all_logs_have_times() -> None:
    async with serving() as service:
        for path, body in (("/lines", b"a one"), ("/lines?x=1", b"a one"), ("/sniff", b"a one"), ("/lines", b"a two")):
            assert (await post(service, path, body))[1] == [1, [], False]
        assert (await post(service, "/lines", b"a one"))[1] == [1, [], True]
        assert (await post(service, "/lines", gzip.compress(b"a one"), **{"Content-Encoding": "gzip"}))[1][2]
        for _ in range(2):
            assert (await post(service, "/lines", b"a one\nnow two"))[1] == [2, [], False]
        assert (await service.figures("lines"))["duplicates"] == 2


async def test_what_is_refused_says_so_with_its_status() -> None:
    async with serving(environ={"MAX_BATCH_RECORDS": "100"}) as service:
        status, answer, headers = await post(service, "/lines", b"a one\nfull two")
        assert (status, headers["Retry-After"]) == (503, "1")
        status, answer, _ = await post(service, "/lines", b"banned one")
        assert (status, answer["detail"]) == (422, "banned here")
        for body, expected in (
            (b"? x", 400),
            (b"a one\n! hunter2", 400),
            (b"a m\n" * 101, 413),
            (b"a m\n" * 5000, 413),
        ):
            status, answer, _ = await post(service, "/lines", body)
            assert status == expected
            assert "hunter2" not in str(answer)
        assert (await post(service, "/lines", b"a m\n" * 100))[1][0] == 100
        figures = await service.figures("lines")
        assert (figures["accepted"], figures["refused_requests"]) == (100, 6)


async def test_compressed_bodies_are_limited_and_may_be_sniffed() -> None:
    async with serving(environ={"MAX_DECOMPRESSED_BYTES": "1000000"}) as service:
        for encoding, packed in (("gzip", gzip.compress(b"a one")), ("deflate", zlib.compress(b"a two"))):
            assert (await post(service, "/lines", packed, **{"Content-Encoding": encoding}))[0] == 200
            assert (await post(service, "/sniff", packed, **{"Content-Encoding": "gzip, deflate"}))[0] == 200
        assert (await post(service, "/lines", b"x", **{"Content-Encoding": "gzip, deflate"}))[0] == 415
        bomb = gzip.compress(b"a" * 3_000_000)
        for path in ("/lines", "/sniff"):
            assert (await post(service, path, bomb, **{"Content-Encoding": "gzip"}))[0] == 413
        assert (await post(service, "/lines", bomb[:50], **{"Content-Encoding": "gzip"}))[0] == 400
        for size in (1000, 80_000):
            assert (await post(service, "/doubled", b"a " + b"x" * size + b"\n"))[1][0] == 2


async def test_json_of_too_many_values_is_refused_before_it_is_decoded() -> None:
    async with serving(environ={"MAX_BATCH_RECORDS": "10"}) as service:
        assert (await post(service, "/json", b"[1, 2]"))[1][0] == 2
        assert (await post(service, "/json", b"[" * 300 + b"]" * 300))[0] == 413
        assert (await post(service, "/json", b"[1, "))[0] == 400
        assert (await post(service, "/json", b"7"))[0] == 400


async def test_debug_shows_the_records_and_stores_nothing() -> None:
    async with serving() as service:
        _, answer, _ = await post(service, "/lines?debug=1", b"a one\nshort")
        assert await service.accepted() == 0
    record = {"message": "one", "level": "INFO", "source": "a", "timestamp": "2026-09-21T14:13:20.000000Z"}
    rejected = [{"index": 1, "error": "no message"}]
    assert answer == {"stored": False, "records": [record | {"metadata": {}}], "rejected": rejected}


async def test_keys_rates_and_their_sources_hold(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    shop = {"X-API-Key": add_key(keys, "shop", ["ingest"], ["shop-*"])}
    reader = {"X-API-Key": add_key(keys, "reader", ["read"])}
    async with serving(environ={"API_KEYS_FILE": str(keys), "RATE_LIMIT_CLIENT": "1"}) as service:
        assert (await post(service, "/lines", b"shop-a one"))[0] == 401
        assert (await post(service, "/lines", b"shop-a one", **reader))[0] == 403
        assert (await post(service, "/lines", b"other one", **shop))[0] == 403
        body = b"other one\n" + b"shop-a two\n" * 20
        refused = [[0, "source 'other': not allowed for this API key"]]
        assert (await post(service, "/lines", body, **shop))[1] == [20, refused, False]
        status, _, headers = await post(service, "/lines", b"shop-a late", **shop)
        assert (status, int(headers["Retry-After"]) > 1) == (429, True)
