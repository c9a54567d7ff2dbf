"""The two ingest calls over a real connection: what is taken and what is answered."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from core.tests.http.memory_backend import serve
from log_aggregator.http.access.keys import add_key

BATCH = json.dumps({"logs": [{"message": "a"}, {"message": "b", "level": "WARN"}]}).encode()

CURL_ONE = """{
    "message": "User login successful",
    "level": "INFO",
    "source": "auth-service",
    "metadata": {"user_id": "123", "ip": "10.0.1.50"}
  }"""


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=UTF-8", "text/plain", "application/x-www-form-urlencoded"],
)
async def test_one_log(content_type: str) -> None:
    async with serve() as door:
        answer = await door.client.post("/ingest", data=CURL_ONE, headers={"Content-Type": content_type})
        assert (answer.status, await answer.json()) == (202, {"accepted": 1})
        record = door.records[0]
        assert (record.message, record.level, record.source) == ("User login successful", "INFO", "auth-service")
        assert record.metadata == {"user_id": "123", "ip": "10.0.1.50"}


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BATCH, mtime=0)),
        ("x-gzip", gzip.compress(BATCH, mtime=0)),
        ("GZIP", gzip.compress(BATCH[:20], mtime=0) + gzip.compress(BATCH[20:], mtime=0)),
        ("deflate", zlib.compress(BATCH)),
        ("deflate", zlib.compress(BATCH)[2:-4]),
        ("zstd", zstandard.ZstdCompressor().compress(BATCH)),
        ("zstd", zstandard.ZstdCompressor(write_checksum=True).compress(BATCH)),
        ("zstd", zstandard.ZstdCompressor().compress(BATCH[:9]) + zstandard.ZstdCompressor().compress(BATCH[9:])),
        ("identity", BATCH),
    ],
)
async def test_compressed_batches(encoding: str, body: bytes) -> None:
    async with serve() as door:
        answer = await door.client.post("/ingest/batch", data=body, headers={"Content-Encoding": encoding})
        assert (answer.status, await answer.json()) == (202, {"accepted": 2, "rejected": []})


@pytest.mark.parametrize("name", ["gzip", "zstd", "deflate"])
async def test_a_large_compressed_batch(name: str) -> None:
    logs = [{"message": f"User {n} logged in", "n": n * 7919 % 104_729} for n in range(20_000)]
    lines = "\n".join(json.dumps(log) for log in logs)
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.ZstdCompressor().compress}[name]
    async with serve() as door:
        headers = {"Content-Encoding": name, "Content-Type": "application/x-ndjson"}
        answer = await door.client.post("/ingest/batch", data=pack(lines.encode()), headers=headers)
        assert (answer.status, await answer.json()) == (202, {"accepted": 20_000, "rejected": []})
        assert door.records[-1].metadata == {"n": 19_999 * 7919 % 104_729}


async def test_a_chunked_body() -> None:
    async def pieces() -> Any:
        for start in range(0, len(BATCH), 10):
            yield BATCH[start : start + 10]

    async with serve() as door:
        answer = await door.client.post("/ingest/batch", data=pieces())
        assert (answer.status, (await answer.json())["accepted"]) == (202, 2)


async def test_expect_continue() -> None:
    async with serve() as door:
        answer = await door.client.post("/ingest/batch", data=BATCH, expect100=True)
        assert (answer.status, (await answer.json())["accepted"]) == (202, 2)


async def test_refusals_of_a_stage_keep_their_index() -> None:
    logs = [{"message": "a", "source": "refused"}, {}, {"message": "b"}, {"message": "c", "source": "refused"}]
    async with serve() as door:
        answer = await door.client.post("/ingest/batch", json=logs)
        document = await answer.json()
        assert (answer.status, document["accepted"]) == (202, 1)
        assert [entry["index"] for entry in document["rejected"]] == [0, 1, 3]


async def test_a_batch_of_which_nothing_is_good() -> None:
    async with serve() as door:
        answer = await door.client.post("/ingest/batch", json=[{"message": "a", "source": "refused"}, {}])
        document = await answer.json()
        assert (answer.status, answer.content_type) == (422, "application/problem+json")
        assert [entry["index"] for entry in document["rejected"]] == [0, 1]
        answer = await door.client.post("/ingest", json={"message": "a", "source": "banned"})
        assert (answer.status, (await answer.json())["detail"]) == (422, "banned by a stage")


async def test_idempotency() -> None:
    async with serve() as door:
        headers = {"Idempotency-Key": "k-1"}
        first = await door.client.post("/ingest/batch", data=BATCH, headers=headers)
        assert await first.json() == {"accepted": 2, "rejected": []}
        packed = headers | {"Content-Encoding": "gzip"}
        again = await door.client.post("/ingest/batch", data=gzip.compress(BATCH), headers=packed)
        assert (again.status, await again.json()) == (202, {"accepted": 2, "rejected": [], "duplicate": True})
        other = await door.client.post("/ingest/batch", json=[{"message": "c"}], headers=headers)
        assert other.status == 422
        assert "another body" in (await other.json())["detail"]
        assert len(door.records) == 2


async def test_an_idempotency_key_belongs_to_its_api_key_and_path(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    senders = [{"Authorization": f"Bearer {add_key(file, name)}", "Idempotency-Key": "1"} for name in ("a", "b")]
    async with serve(api_keys_file=file) as door:
        for headers in senders:
            for path in ("/ingest", "/ingest/batch"):
                answer = await door.client.post(path, json={"message": f"from {path}"}, headers=headers)
                assert answer.status == 202, await answer.text()
                assert "duplicate" not in await answer.json()
        again = await door.client.post("/ingest", json={"message": "from /ingest"}, headers=senders[0])
        assert (await again.json())["duplicate"] is True
        assert len(door.records) == 4


async def test_memory_durability_is_said() -> None:
    async with serve(durability="memory") as door:
        one = await door.client.post("/ingest", json={"message": "a"})
        assert await one.json() == {"accepted": 1, "durable": False}
        batch = await door.client.post("/ingest/batch", data=BATCH)
        assert await batch.json() == {"accepted": 2, "rejected": [], "durable": False}


async def test_overload_is_503_with_retry_after() -> None:
    async with serve() as door:
        door.backend.overloaded = True
        answer = await door.client.post("/ingest", json={"message": "a"})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
        assert (await answer.json())["retry_after"] == 3


async def test_large_bodies_share_a_bounded_room() -> None:
    async with serve(max_decompressed_bytes=1024 * 1024, max_body_bytes=4 * 1024 * 1024) as door:
        answer = await door.client.post("/ingest", data=io.BytesIO(b" " * 3 * 1024 * 1024))
        assert answer.status == 503
        assert "large bodies" in (await answer.json())["detail"]
        answer = await door.client.post("/ingest", data=io.BytesIO(b" " * 1024 * 1024 + b'{"message": "a"}'))
        assert answer.status == 202, "the room is free again"


async def test_at_most_a_thousand_rejected_logs_are_named() -> None:
    async with serve() as door:
        answer = await door.client.post("/ingest/batch", json=[{"message": "a"}, *[{}] * 1500])
        document = await answer.json()
        assert (document["accepted"], len(document["rejected"]), document["rejected_count"]) == (1, 1000, 1500)


@pytest.mark.parametrize("path", ["/ingest", "/ingest/batch"])
async def test_text_is_taken_line_by_line(path: str) -> None:
    async with serve() as door:
        answer = await door.client.post(path, data="one\n\ntwo\n", headers={"Content-Type": "text/plain"})
        assert (answer.status, await answer.json()) == (202, {"accepted": 2, "rejected": []})
        assert [record.message for record in door.records] == ["one", "two"]


@pytest.mark.parametrize("path", ["/ingest", "/ingest/batch"])
async def test_debug_shows_the_records_and_takes_none(path: str) -> None:
    bodies = ({"msg": "a", "level": 50, "user": "u"}, [{"msg": "a", "level": 50, "user": "u"}, {"level": "INFO"}])
    async with serve() as door:
        for body in bodies:
            answer = await door.client.post(f"{path}?debug=1", json=body)
            shown = await answer.json()
            assert (answer.status, shown["stored"], len(shown["rejected"])) == (200, False, int(isinstance(body, list)))
            (record,) = shown["records"]
            assert (record["message"], record["level"], record["metadata"]) == ("a", "ERROR", {"user": "u"})
        assert not door.records
        await door.client.post(f"{path}?debug=verbose", json={"message": "a"})  # a parameter of the client's own
        assert len(door.records) == 1


async def test_a_client_that_takes_202_for_an_error_may_ask_for_200() -> None:
    async with serve() as door:
        for path, wanted in (("/ingest", {"accepted": 1}), ("/ingest/batch", {"accepted": 1, "rejected": []})):
            answer = await door.client.post(f"{path}?status=200&token=x", json={"message": "a"})
            assert (answer.status, answer.content_type, await answer.json()) == (200, "application/json", wanted)
        answer = await door.client.post("/ingest?status=202", json={"message": "a"})
        assert answer.status == 202
        answer = await door.client.post("/ingest?status=204", json={"message": "a"})
        assert answer.status == 422
        assert len(door.records) == 3
