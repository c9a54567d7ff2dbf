"""Requests in the objects of access logs."""

from __future__ import annotations

from typing import Any

import pytest

from log_aggregator.model.fields.requests import Request, level_of, request_in, without_request
from log_aggregator.model.record import Record

ACCESS: list[tuple[str, dict[str, Any], str, str, dict[str, Any]]] = [
    ("nginx", {"request": "GET /a/12?x=1 HTTP/1.1", "status": "502", "bytes": "1"}, "502 GET /a/12", "ERROR",
     {"bytes": "1", "query": "x=1"}),
    ("envoy", {"start_time": "2026-11-30T10:00:00.1Z", "method": "GET", "path": "/a", "response_code": 404},
     "404 GET /a", "WARN", {}),
    ("lograge", {"method": "POST", "path": "/jobs", "controller": "Jobs", "status": 201, "duration": 58.3},
     "201 POST /jobs", "INFO", {"controller": "Jobs", "duration": 58.3}),
    ("google", {"httpRequest": {"requestMethod": "GET", "requestUrl": "https://shop.example/p/1?q=2", "status": 500,
     "latency": "1s"}}, "500 GET /p/1", "ERROR", {"httpRequest": {"latency": "1s"}, "query": "q=2"}),
    ("ecs", {"http": {"request": {"method": "GET"}, "response": {"status_code": 503}}, "url": {"path": "/x"}},
     "503 GET /x", "ERROR", {"http": {"response": {"status_code": 503}}, "url": {"path": "/x"}}),
    ("traefik", {"msg": "", "RequestMethod": "GET", "RequestPath": "/", "DownstreamStatus": 200}, "200 GET /", "INFO",
     {"msg": ""}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("log", "message", "level", "rest"), [one[1:] for one in ACCESS], ids=[one[0] for one in ACCESS]
)
def test_an_access_log_without_a_message_is_its_request(
    log: dict[str, Any], message: str, level: str, rest: dict[str, Any]
) -> None:
    record = Record.from_object(log)
    assert (record.message, record.level, record.metadata) == (message, level, rest)


def test_the_start_of_a_request_is_its_time() -> None:
    assert Record.from_object(ACCESS[1][1]).timestamp == 1_796_032_800_100_000


@pytest.mark.parametrize(
    "log",
    [
        {"method": "GET", "path": "/a"},
        {"method": "card", "path": "/a", "status": 200},
        {"method": "GET", "path": "/a", "status": "done"},
        {"method": "GET", "path": "/a", "status": 7},
        {"method": "GET", "path": "", "status": 200},
        {"method": ["GET"], "path": {"x": 1}, "status": 200},
        {"request": {"method": None, "path": 5}, "status": 200},
    ],
    ids=["no-status", "no-method", "word", "small", "no-path", "other-types", "nothing-inside"],
)
def test_what_is_no_request_is_refused_as_before(log: dict[str, Any]) -> None:
    assert request_in(log) is None
    with pytest.raises(ValueError, match="message: missing"):
        Record.from_object(log)


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (100, "INFO"),
        (399, "INFO"),
        (400, "WARN"),
        (499, "WARN"),
        (500, "ERROR"),
        (599, "ERROR"),
        (600, "INFO"),
        (999, "INFO"),
    ],
)
def test_only_4xx_and_5xx_are_more_than_info(status: int, level: str) -> None:
    assert level_of(status) == level


def test_a_message_wins_over_the_request() -> None:
    record = Record.from_object({"message": "charge refused", "method": "GET", "path": "/a", "status": 500})
    assert (record.message, record.level) == ("charge refused", "INFO")


def test_a_level_that_was_sent_stays() -> None:
    assert Record.from_object({"level": "debug", "method": "GET", "path": "/a", "status": 500}).level == "DEBUG"
    assert Record.from_object({"level": "info", "method": "GET", "path": "/a", "status": 500}).level == "ERROR"


def test_only_what_the_request_says_leaves_the_object() -> None:
    log = {"method": "GET", "path": "/a", "status": 500, "code": "E12", "url": "/b"}
    assert without_request(log, Request(500, "GET", "/a")) == {"code": "E12", "url": "/b"}
