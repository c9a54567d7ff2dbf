"""Bulk requests and handshakes, as clients of Elasticsearch send them."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.http.access.keys import add_key
from log_aggregator_elasticsearch import bulk
from tests.support.sender import Sender, sending

TIME = "2026-09-21T14:13:20.123Z"
ES = "/elasticsearch"
BULK = f"{ES}/_bulk"


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.elasticsearch]", environ={"MAX_BATCH_RECORDS": "2000"}) as sender:
        yield sender


def lines(*documents: Any) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in documents)


def document(message: str = "m", **more: Any) -> dict[str, Any]:
    return {"@timestamp": TIME, "message": message, "service": {"name": "shop"}, **more}


def statuses(answer: Any) -> list[int]:
    return [next(iter(item.values()))["status"] for item in answer.json["items"]]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (document(log={"level": "warn", "offset": 1}), {"level": "WARN", "source": "shop"}),
        (document("x", **{"log.level": "ERROR"}), {"level": "ERROR", "message": "x"}),
        ({"msg": "pino", "level": 50, "time": TIME}, {"message": "pino", "level": "ERROR", "source": "logs-x"}),
        ({"message": "m", "host": {"name": "pi"}, "event": {"kind": "event"}}, {"message": "m", "source": "pi"}),
        ({"event": {"original": "raw"}, "container": {"name": "c"}}, {"message": "raw", "source": "c"}),
        ({"message": "m", "kubernetes": {"container": {"name": "k"}}, "host": {"name": "pi"}}, {"source": "k"}),
    ],
)
async def test_documents(sender: Sender, sent: dict[str, Any], expected: dict[str, Any]) -> None:
    record = (await sender.records(BULK, lines({"create": {"_index": "logs-x"}}, sent)))[0]
    assert {key: record[key] for key in expected} == expected


async def test_metadata_and_time(sender: Sender) -> None:
    sent = document(ecs={"version": "8"}, fields={"env": "home", "message": "not this"}, shop={"zone": "eu"})
    record = (await sender.records(BULK, lines({"index": {}}, {**sent, "@version": "1"})))[0]
    assert record["metadata"] == {"env": "home", "shop": {"zone": "eu"}}
    assert (record["message"], record["timestamp"]) == ("m", "2026-09-21T14:13:20.123000Z")


async def test_each_action_has_its_item_in_order(sender: Sender) -> None:
    body = lines(
        {"index": {}}, document("good"), {"delete": {"_id": "x"}}, {"index": {}}, {"service": "no message"},
        {"index": {"pipeline": None, "_id": None}, "attempts": 2}, document("also good"),
        {"create": {"_id": "1"}}, document("one"), {"create": {"_id": "1"}}, document("one"),
        {"update": {"_id": "2"}}, {"doc": document("updated")}, {"index": {}}, "{not json",
        "{garbage", document("lost"),
        {"create": {"_index": "named"}},
    )  # fmt: skip
    answer = await sender.post(f"{ES}/logs/_bulk", gzip.compress(body.encode()), Content_Encoding="gzip")
    assert answer.status == 200
    assert answer.json["errors"] is True
    assert statuses(answer) == [201, 400, 400, 201, 201, 409, 201, 400, 400, 400]
    items = [next(iter(item.items())) for item in answer.json["items"]]
    assert [action for action, _ in items] == ["index", "delete", "index", "index", "create", "create", "update", "index", "index", "create"]  # fmt: skip # noqa: E501
    assert items[0][1]["_index"] == "logs"
    assert items[5][1]["error"]["type"] == "version_conflict_engine_exception"
    assert items[2][1]["error"] == {"type": "mapper_parsing_exception", "reason": "message: missing, expected a text"}
    filtered = await sender.post(
        f"{BULK}?filter_path=errors,items.*.error,items.*.status", lines({"index": {}}, document())
    )
    assert filtered.json == {"errors": False, "items": [{"index": {"status": 201}}]}


async def test_single_documents(sender: Sender) -> None:
    created = await sender.post(f"{ES}/logs/_doc", json.dumps(document()))
    assert (created.status, created.json["result"]) == (201, "created")
    assert (await sender.send("PUT", f"{ES}/logs/_create/7", json.dumps(document()))).json["_id"] == "7"
    assert (await sender.post(f"{ES}/logs/_doc", "{}")).status == 400


async def test_the_same_bulk_again_is_counted_once_unless_a_document_has_neither_time_nor_id(sender: Sender) -> None:
    bodies = [
        lines({"create": {}}, document(), {"create": {}}, document("n")),
        lines({"create": {"_id": "a"}}, {"message": "has an id"}),
        lines({"create": {}}, {"message": "has nothing"}),
    ]
    for _ in range(2):
        for body in bodies:
            answer = await sender.post(BULK, body)
            assert set(statuses(answer)) == {201}
    await sender.service.flush()
    assert await sender.accepted() == 2 + 1 + 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 200),
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/_license?human=false", 200),
        ("GET", "/_xpack", 200),
        ("GET", "/_cluster/health", 200),
        ("GET", "/_nodes/http", 200),
        ("GET", "/_ilm/policy/filebeat", 404),
        ("PUT", "/_ilm/policy/filebeat", 200),
        ("HEAD", "/_index_template/logs", 200),
        ("PUT", "/_index_template/logs", 200),
        ("PUT", "/_ingest/pipeline/p", 200),
        ("HEAD", "/logs", 200),
        ("PUT", "/logs", 200),
    ],
)
async def test_handshakes(sender: Sender, method: str, path: str, status: int) -> None:
    answer = await sender.send(method, ES + path, "{}" if method == "PUT" else None)
    assert (answer.status, answer.headers["X-Elastic-Product"]) == (status, "Elasticsearch")


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        ({"User_Agent": "Elastic-filebeat/8.15.3 (linux; amd64)"}, "8.15.3"),
        ({"Accept": "application/vnd.elasticsearch+json; compatible-with=9"}, "9.2.0"),
        ({}, "8.19.4"),
    ],
)
async def test_each_client_is_told_a_version_that_suits_it(sender: Sender, headers: Any, number: str) -> None:
    answer = await sender.send("GET", ES, **headers)
    assert answer.json["version"]["number"] == number
    if "Accept" in headers:
        assert answer.headers["Content-Type"] == "application/vnd.elasticsearch+json;compatible-with=9"


async def test_keys_in_every_way_that_clients_write_them(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    token = add_key(keys, "beats")
    packed = base64.b64encode(f"id:{token}".encode()).decode()
    basic = base64.b64encode(f"elastic:{token}".encode()).decode()
    async with sending("[plugins.elasticsearch]", environ={"API_KEYS_FILE": str(keys)}) as sender:
        for value in (f"ApiKey {token}", f"ApiKey {packed}", f"Basic {basic}", f"Bearer {token}"):
            assert (await sender.send("GET", ES, Authorization=value)).status == 200
            body = lines({"index": {}}, {"message": value[:3]})
            assert statuses(await sender.post(BULK, body, Authorization=value)) == [201]
        for value in ("ApiKey x", "ApiKey " + base64.b64encode(b"\xff").decode(), "ApiKey"):
            assert (await sender.send("GET", ES, Authorization=value)).status == 401


async def test_bodies_that_are_no_bulk_are_refused(sender: Sender) -> None:
    for body in ("{not json\n", '"text"\n', "[]\n", lines(document())):
        answer = await sender.post(BULK, body)
        assert (answer.status, answer.json["status"]) == (400, 400)
    assert (await sender.post(BULK, "")).json["items"] == []
    many = lines({"index": {}}, document()) * 2001
    assert (await sender.post(BULK, many)).status == 413
    deep = lines({"index": {}}, '{"message": "m", "a": ' + "[" * 5000 + "]" * 5000 + "}", {"index": {}}, document())
    assert statuses(await sender.post(BULK, deep))[1] == 201
    labels = document(**{f"k{n}": n for n in range(10_000)})
    assert len((await sender.records(BULK, lines({"index": {}}, labels)))[0]["metadata"]) <= 65


async def test_damaged_bulks_never_fail_the_service(sender: Sender) -> None:
    chance = random.Random(7)
    good = lines({"create": {"_index": "i", "_id": "1"}}, document(log={"level": "info"}), {"index": {}}, document("n"))
    values = ["null", "1", '"x"', "[]", "{}", "1e999", "\n", "\x00"]
    for _ in range(400):
        at = chance.randrange(len(good))
        damaged = good[:at] + chance.choice(values) + good[at + chance.randrange(8) :]
        assert (await sender.post(BULK, damaged)).status in (200, 400)


async def test_an_id_that_comes_again_in_another_request_is_counted_once(sender: Sender) -> None:
    first = lines({"create": {"_id": "a"}}, document("one"), {"index": {"_id": "b"}}, document("two"))
    again = lines({"index": {"_id": "b"}}, document("two"), {"create": {"_id": "a"}}, document("one"))
    more = lines(
        {"create": {"_id": "c"}}, document("three"), {"create": {"_id": "a", "_index": "other"}}, document("4")
    )
    assert statuses(await sender.post(f"{ES}/_bulk", first)) == [201, 201]
    assert statuses(await sender.post(f"{ES}/_bulk", again)) == [200, 409]
    assert statuses(await sender.post(f"{ES}/_bulk", more)) == [201, 201]
    assert (await sender.send("PUT", f"{ES}/logs/_create/a", json.dumps(document()))).status == 409
    assert await sender.accepted() == 4


async def test_another_document_under_a_known_id_is_another_log(sender: Sender) -> None:
    """`index` and `update` replace in a store of documents; here each document that differs is counted."""
    for number, action in enumerate(("index", "index", "update")):
        log = document(f"attempt {number} of job")
        body = lines({action: {"_id": "job"}}, {"doc": log} if action == "update" else log)
        assert statuses(await sender.post(f"{ES}/_bulk", body)) == [201]
    again = lines(
        {"index": {"_id": "x"}}, document("else"), {"update": {"_id": "job"}}, {"doc": document("attempt 2 of job")}
    )
    assert statuses(await sender.post(f"{ES}/_bulk", again)) == [201, 200]
    assert statuses(await sender.post(f"{ES}/_bulk", lines({"create": {"_id": "job"}}, document("new")))) == [409]
    assert await sender.accepted() == 4


async def test_an_id_is_known_after_a_restart(tmp_path: Path) -> None:
    bodies = [lines({"create": {"_id": f"{n}"}}, document(f"log {n}")) for n in range(3)]
    async with sending("[plugins.elasticsearch]", data_dir=tmp_path) as sender:
        for body in bodies:
            assert statuses(await sender.post(BULK, body)) == [201]
        refused = lines({"create": {"_id": "bad"}}, {"service": "no message"})
        assert statuses(await sender.post(BULK, refused)) == [400]
    async with sending("[plugins.elasticsearch]", data_dir=tmp_path) as sender:
        assert statuses(await sender.post(BULK, bodies[0])) == [201], "the same request is recognised as a whole"
        anew = lines(
            {"create": {"_id": "1"}}, document("log 1"), {"index": {"_id": "2"}}, document("log 2"),
            {"index": {"_id": "0"}}, document("another"), {"create": {"_id": "bad"}}, document("mended"),
        )  # fmt: skip
        assert statuses(await sender.post(BULK, anew)) == [409, 200, 201, 201]
        assert await sender.accepted() == 2


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_what_is_not_served_is_answered_in_a_form_that_clients_read(sender: Sender, method: str) -> None:
    answer = await sender.send(method, f"{ES}/logs/_search", "{}" if method != "GET" else None)
    assert (answer.status, answer.headers["X-Elastic-Product"], answer.json["status"]) == (404, "Elasticsearch", 404)


async def test_documents_under_a_type_as_clients_of_old_versions_send_them(sender: Sender) -> None:
    assert (await sender.post(f"{ES}/logs-2026.11.30/log", json.dumps(document("one")))).status == 201
    for _ in range(2):
        assert (await sender.send("PUT", f"{ES}/logs/log/7", json.dumps(document("two")))).status == 201
    assert (await sender.post(f"{ES}/logs/_refresh", "")).json["_shards"]["failed"] == 0
    assert await sender.accepted() == 2


async def test_documents_without_ids_are_read_in_pairs_as_line_by_line(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [
        lines(
            {"create": {"_index": "a"}}, document("one"), {"index": {}}, {"no": "message"}, {"create": {}}, document()
        ),
        lines({"create": {}}, document("one"), {"delete": {"_id": "1"}}, {"create": {}}, document("two")),
        lines({"create": {}}, document("one"), document("two"), {"create": {}}),
        lines({"create": {}}, "[1]", {"create": {}}, "", document()),
        lines({"create": {}}, document("one"))[:-1],
        "\n" + lines({"create": {}}, document("one")),
        lines({"create": {}}),
    ]
    found = [(await sender.post(f"{BULK}?debug=1", body)).json for body in bodies]
    monkeypatch.setattr(bulk, "_plain", lambda *_: None)
    assert found == [(await sender.post(f"{BULK}?debug=1", body)).json for body in bodies]
