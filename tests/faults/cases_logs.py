"""Logs with strange fields: refused with a reason, or taken in a decided way."""

from __future__ import annotations

import json

from tests.faults.case import Case, log, refused, taken
from tests.faults.wire import get, post

GOOD = log()

LOG_CASES = [
    refused("no message", '{"level": "INFO"}', 422, "message: missing"),
    refused("message null", log(message=None), 422, "message: missing"),
    refused("message empty", log(message=""), 422, "message: empty"),
    refused("message is an empty list", log(message=[]), 422, "message: missing"),
    taken("msg instead of message", '{"msg": "abc"}'),
    taken("no name that is known", '{"abc": "def"}'),
    taken("message is a list", log(message=["a"])),
    taken("message is an object", log(message={"a": 1})),
    taken("level is a list", log(level=[])),
    taken("level is an object", log(level={})),
    taken("level is a boolean", log(level=True)),
    taken("level is a fraction", log(level=3.5)),
    taken("level is enormous", log(level=10**30)),
    taken("source is a list", log(source=["a"])),
    taken("source is a boolean", log(source=True)),
    taken("timestamp is a word", log(timestamp="yesterday")),
    taken("timestamp empty", log(timestamp="")),
    taken("timestamp is a boolean", log(timestamp=True)),
    taken("timestamp is an object", log(timestamp={})),
    taken("timestamp NaN", '{"message": "a", "timestamp": NaN}'),
    taken("timestamp infinite", '{"message": "a", "timestamp": 1e999}'),
    taken("timestamp of month 13", log(timestamp="2026-13-01T00:00:00Z")),
    taken("metadata is a text", log(metadata="abc")),
    taken("level as a number", log(level=30)),
    taken("level null", log(level=None)),
    taken("source null", log(source=None)),
    taken("source is a number", log(source=7)),
    taken(
        "a batch with every kind of badness",
        json.dumps([{"message": "a"}, None, 1, [], {}, {"message": "b"}]),
        2,
        "missing",
    ),
]

QUERY_CASES = [
    Case("unknown parameter", get("/patterns?lmit=5"), 422, "did you mean 'limit'"),
    Case("parameter twice", get("/patterns?level=INFO&level=WARN"), 422, "given twice"),
    Case("limit not a number", get("/patterns?limit=many"), 422, "limit"),
    Case("limit zero", get("/patterns?limit=0"), 422, "limit"),
    Case("limit too large", get("/patterns?limit=100000"), 422, "limit"),
    Case("limit with a huge number", get("/patterns?limit=" + "9" * 5000), 422, "limit"),
    Case("since is a word", get("/patterns?since=yesterday"), 422, "since"),
    Case("since after until", get("/patterns?since=now&until=-1h"), 422, "since"),
    Case("since out of range", get("/patterns?since=99999-01-01"), 422, "since"),
    Case("order unknown", get("/patterns?order=random"), 422, "order"),
    Case("NUL in a search", get("/patterns?q=a%00b"), 422, "q"),
    Case("empty search", get("/patterns?q="), 422, "q"),
    Case("search longer than a request's first line", get("/patterns?q=" + "a" * 9000), 400, "8190 bytes"),
    Case("source too long", get("/patterns?source=" + "a" * 2000), 422, "source"),
    Case("a cursor of someone else", get("/patterns?cursor=nonsense"), 422, "cursor"),
    Case("an id that is none", get("/patterns/nonsense"), 404, "16 hex digits"),
    Case("an id that nobody has", get("/patterns/ffffffffffffffff"), 404, "no pattern has the id"),
    Case("the timeline of nobody", get("/patterns/ffffffffffffffff/timeline"), 404, "no pattern has the id"),
    Case("step zero", get("/series?step=0"), 422, "step"),
    Case("too many steps", get("/series?step=1&since=-365d"), 422, "step"),
    Case("split by nonsense", get("/series?split_by=message"), 422, "split_by"),
    Case("anomalies in an unknown state", get("/anomalies?state=odd"), 422, "state"),
    Case("anomalies of a wrong id", get("/anomalies?pattern_id=zz"), 422, "pattern_id"),
    Case("flush with a deadline too long", post("/flush?deadline=9999", ""), 422, "deadline"),
    Case("flush with a deadline of NaN", post("/flush?deadline=nan", ""), 422, "deadline"),
]
