"""Each format is recognised and lifted, and text that only looks like one stays as it is."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from log_aggregator import Record
from log_aggregator.model.fields.timestamps import to_iso
from log_aggregator_dev import run_stage
from log_aggregator_formats import FormatsPlugin

MOMENT = "2026-03-01T10:00:00"
YEARLESS = re.compile(r"^(?:<11>)?Mar  1 \d|^E0301|0301/1")


def newest_march() -> str:
    """MOMENT in the year of a line that says none: the newest one whose day has begun."""
    today = datetime.now(UTC).date()
    return f"{today.year - (today < date(today.year, 3, 1))}{MOMENT[4:]}"


def lifted(message: str, plugin: FormatsPlugin | None = None, **sent: Any) -> Record:
    now = time.time_ns() // 1000
    fields: dict[str, Any] = {
        "level": "INFO",
        "source": "unknown",
        "timestamp": now,
        "metadata": {},
        "level_is_explicit": False,
    }
    record = Record(message, **(fields | sent))
    run_stage(plugin or FormatsPlugin(FormatsPlugin.Config()), [record])
    if record.timestamp == now:
        record.timestamp = 0
    return record


LINES = [
    # message, sentence, level, source, metadata; each carries MOMENT
    ("2026-03-01 10:00:00,000 - app - WARNING - retry 5", "retry 5", "WARN", "app", {}),
    ("2026-03-01 10:00:00.000  INFO 12345 --- [exec-1] c.e.App       : started", "started", "INFO", "c.e.App", {"thread": "exec-1", "pid": "12345"}),
    ("2026-03-01 10:00:00,000 [main] ERROR com.acme.Foo - slow", "slow", "ERROR", "com.acme.Foo", {"thread": "main"}),
    ("[2026-03-01T10:00:00.000] [INFO] shop.orders - order 7 paid", "order 7 paid", "INFO", "shop.orders", {}),
    ("2026-03-01T10:00:00.000Z [shop] info: order 7 paid", "order 7 paid", "INFO", "shop", {}),
    ("2026-03-01 10:00:00.000 | INFO     | __main__:<module>:10 - order 7 paid", "__main__:<module>:10 - order 7 paid", "INFO", "__main__", {}),
    ("2026-03-01T10:00:00Z INFO [a] save took too long", "save took too long", "INFO", "unknown", {"thread": "a"}),
    ("2026-03-01T10:00:00.000000Z 8 [Warning] [MY-010055] [Server] no address", "no address", "WARN", "unknown", {"thread": "MY-010055", "pid": "8"}),
    ("2026-03-01 10:00:00.000 UTC [77] user@db ERROR:  relation lost", "relation lost", "ERROR", "unknown", {"pid": "77", "user": "user", "database": "db"}),
    ("2026-03-01 10:00:00.000 UTC [77] [unknown]@[unknown] LOG:  connection received", "connection received", "INFO", "unknown", {"pid": "77"}),
    ("2026-03-01 10:00:00.000 UTC [77] bob@shop DETAIL:  Key (uid)=(7) is missing.", "DETAIL:  Key (uid)=(7) is missing.", "", "unknown", {"pid": "77", "user": "bob", "database": "shop"}),
    ("2026-03-01 10:00:00.000 UTC [77] STATEMENT:  select 1", "STATEMENT:  select 1", "", "unknown", {"pid": "77"}),
    ("1772359200: New connection on port 1883.", "New connection on port 1883.", "", "unknown", {}),
    ("1772359200.000   5006 10.0.0.1 TCP_MISS/200 17", "5006 10.0.0.1 TCP_MISS/200 17", "", "unknown", {}),
    ("E20260301 10:00:00.123456 12345 rpc.cc:99] call 7 timed out", "call 7 timed out", "ERROR", "unknown", {"pid": "12345", "caller": "rpc.cc:99"}),
    ("1772359200 job 7 skipped", "job 7 skipped", "", "unknown", {}),
    ("1772359200000: boot done", "boot done", "", "unknown", {}),
    ("update-alternatives 2026-03-01 10:00:00: run with --auto cc", "run with --auto cc", "", "update-alternatives", {}),
    ("[2026-03-01T10:00:00,000][INFO ][o.e.n.Node               ] [node-1] started", "[node-1] started", "INFO", "o.e.n.Node", {}),
    ("[2026-03-01T10:00:00Z ERROR my_crate::db] lost it", "lost it", "ERROR", "my_crate::db", {}),
    ("[2026-03-01 10:00:00,000: WARNING/MainProcess] task late", "task late", "WARN", "MainProcess", {}),
    ("2026-03-01 10:00:00,000 [myid:3] - WARN  [main:QuorumPeer@173] - no quorum", "no quorum", "WARN", "unknown", {"myid": "3", "caller": "main:QuorumPeer@173"}),
    ("2026-03-01 10:00:00.000 ERROR (MainThread) [homeassistant.core] gone", "gone", "ERROR", "homeassistant.core", {"thread": "MainThread"}),
    ("[2026-03-01 10:00:00,000] {task.py:1345} INFO - marked", "marked", "INFO", "unknown", {"caller": "task.py:1345"}),
    ("Sun Mar  1 10:00:00 2026 daemon.err dnsmasq[15]: no address", "no address", "ERROR", "dnsmasq", {"pid": "15", "facility": "daemon"}),
    ("Sun Mar  1 10:00:00 2026 kern.info kernel: [   12.345678] link up", "link up", "INFO", "kernel", {"facility": "kern", "uptime": 12.345678}),
    ("[2026/03/01 10:00:00.000000,  2, pid=15, effective(0, 0)] ../../source3/smbd/service.c:168(main)\n  chdir failed", "chdir failed", "", "unknown",
     {"caller": "../../source3/smbd/service.c:168(main)"}),
    ("2026/03/01 10:00:00 [D] [router.go:3] matched", "matched", "DEBUG", "unknown", {"caller": "router.go:3"}),
    ("2026/03/01 10:00:00 main.go:12: listening", "listening", "", "unknown", {"caller": "main.go:12"}),
    ("2026-03-01 10:00:00 status installed libc6:amd64 2.36-9", "status installed libc6:amd64 2.36-9", "", "unknown", {}),
    ("Mar  1 10:00:00 job 5 done", "job 5 done", "", "unknown", {}),
    ("20260301-10:00:00.000 job 5 done", "job 5 done", "", "unknown", {}),
    ("2026-03-01 10:00:00.000 +0000 UTC m=+0.5 job 5 done", "job 5 done", "", "unknown", {}),
    ('2026/03/01 10:00:00 [error] 77#77: *1 connect() failed, client: 10.0.0.1, request: "GET /a HTTP/1.1"', "connect() failed", "ERROR", "unknown",
     {"pid": "77", "client": "10.0.0.1", "request": "GET /a HTTP/1.1"}),
    ("[Sun Mar 01 10:00:00.000000 2026] [core:error] [pid 1:tid 2] [client 1.2.3.4:5] AH00001: gone", "AH00001: gone", "ERROR", "unknown",
     {"pid": "1", "client": "1.2.3.4:5"}),
    ("I, [2026-03-01T10:00:00.000000 #12]  WARN -- app: slow", "slow", "WARN", "app", {"pid": "12"}),
    ("1:M 01 Mar 2026 10:00:00.000 # WARNING overcommit", "WARNING overcommit", "WARN", "unknown", {"pid": "1", "role": "M"}),
    ("E0301 10:00:00.000000 7 a.go:1] disk gone", "disk gone", "ERROR", "unknown", {"pid": "7", "caller": "a.go:1"}),
    ('E0301 10:00:00.000000 7 a.go:1] "disk gone" err="timed out" pod="a"', "disk gone err=timed out", "ERROR", "unknown",
     {"pid": "7", "caller": "a.go:1", "pod": "a"}),
    ("[20562:20594:0301/100000.000000:ERROR:dbus/bus.cc:405] Failed to connect to the bus", "Failed to connect to the bus", "ERROR", "unknown",
     {"pid": "20562", "thread": "20594", "caller": "dbus/bus.cc:405"}),
    ("[0301/100000.000:VERBOSE1:gpu.cc(42)] no device", "no device", "TRACE", "unknown", {"caller": "gpu.cc(42)"}),
    ("[20826] 2026/03/01 10:00:00.000000 [ERR] Error listening on port: 4222", "Error listening on port: 4222", "ERROR", "unknown", {"pid": "20826"}),
    ("Mar  1 10:00:00 web01 sshd[9]: Failed password", "Failed password", "", "sshd", {"host": "web01", "pid": "9"}),
    ("<11>Mar  1 10:00:00 web01 app[9]: full", "full", "ERROR", "app", {"host": "web01", "pid": "9"}),
    ('<34>1 2026-03-01T10:00:00.000Z web01 app 9 ID47 [x@1 k="v"] quota', "quota", "CRITICAL", "app", {"host": "web01", "pid": "9", "msgid": "ID47", "k": "v"}),
    ('2026-03-01T10:00:00.0Z stderr F {"level":"error","msg":"boom"}', "boom", "ERROR", "unknown", {"stream": "stderr"}),
    ('[2026-03-01 10:00:00] production.ERROR: Payment 1 failed {"order":5} []', "production.ERROR: Payment 1 failed", "ERROR", "unknown", {"order": 5}),
    ('time=2026-03-01T10:00:00Z level=error msg="push failed" error="connection refused" tenant=t1', "push failed error=connection refused", "ERROR", "unknown",
     {"tenant": "t1"}),
    ("time=2026-03-01T10:00:00Z lvl=error disk gone", "disk gone", "ERROR", "unknown", {}),
    ('{"time":"2026-03-01T10:00:00Z","level":"warn","msg":"request handled","status":503,"service":"api","user":7}', "request handled status=503", "WARN", "api",
     {"user": 7}),
    ('10.0.0.1 - bob [01/Mar/2026:10:00:00 +0000] "GET /orders/7?a=1 HTTP/1.1" 503 12 "-" "curl/8"', "503 GET /orders/7", "ERROR", "unknown",
     {"client": "10.0.0.1", "user": "bob", "agent": "curl/8", "bytes": 12, "query": "a=1"}),
    ("2026-03-01 10:00:00 10.0.0.5 GET /a/b - 443 - 1.2.3.4 Mozilla/5.0 - 404 0 0 12", "404 GET /a/b", "WARN", "unknown",
     {"client": "1.2.3.4", "agent": "Mozilla/5.0", "duration": "12ms"}),
    ('127.0.0.1:5000 [01/Mar/2026:10:00:00.000] front back/srv 0/0/1/2/3 200 123 - - ---- 1/1/0/0/0 0/0 "GET /x HTTP/1.1"', "200 GET /x", "INFO", "unknown",
     {"client": "127.0.0.1", "frontend": "front", "backend": "back/srv", "bytes": 123, "duration": "3ms"}),
    ('{"ts":1772359200,"logger":"http.log.access","msg":"handled request","request":{"method":"GET","uri":"/o/9"},"status":500}', "500 GET /o/9", "ERROR",
     "http.log.access", {}),
    ("Mar 01, 2026 10:00:00 AM com.acme.Foo bar\nSEVERE: disk gone", "disk gone", "ERROR", "com.acme.Foo", {"method": "bar"}),
]  # fmt: skip

TIMELESS = [
    ("[info] sync of rules 0", "sync of rules 0", "INFO", "unknown", {}),
    ("WARNING:root:disk low", "disk low", "WARN", "root", {}),
    ("crit: App.Main[0]\n      disk gone", "disk gone", "CRITICAL", "App.Main", {"event_id": "0"}),
    ("<3>disk gone", "disk gone", "ERROR", "unknown", {}),
    ("web-1  | [warn] slow", "slow", "WARN", "web", {"container": "web-1"}),
    ("[   12.500000] usb 1-1: new device", "usb 1-1: new device", "", "unknown", {"uptime": 12.5}),
    ("E: Unable to locate", "Unable to locate", "ERROR", "unknown", {}),
    ('INFO:     10.0.0.1:5000 - "GET /x HTTP/1.1" 404 Not Found', "404 GET /x", "WARN", "unknown", {"client": "10.0.0.1:5000"}),
    ("GET /orders/7 500 3ms", "GET /orders/7 500 3ms", "ERROR", "unknown", {}),
    ("INFO started worker, error handler registered", "INFO started worker, error handler registered", "INFO", "unknown", {}),
    ('{"level":"debug","sql":"select error"}', '{"level":"debug","sql":"select error"}', "DEBUG", "unknown", {}),
]  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0][:40])
def test_a_line_with_a_time(line: tuple[str, str, str, str, dict[str, Any]]) -> None:
    message, sentence, level, source, metadata = line
    record = lifted(message)
    assert (record.message, record.level, record.source, record.metadata) == (
        sentence,
        level or "INFO",
        source,
        metadata,
    )
    assert record.level_is_explicit == bool(level)
    assert to_iso(record.timestamp).startswith(newest_march() if YEARLESS.search(message) else MOMENT)


@pytest.mark.parametrize("line", TIMELESS, ids=lambda line: line[0][:40])
def test_a_line_without_a_time(line: tuple[str, str, str, str, dict[str, Any]]) -> None:
    message, sentence, level, source, metadata = line
    record = lifted(message)
    assert (record.message, record.level, record.source, record.metadata) == (
        sentence,
        level or "INFO",
        source,
        metadata,
    )
    assert (record.level_is_explicit, record.timestamp) == (bool(level), 0)


@pytest.mark.parametrize(
    "message",
    [
        "error handler registered", "Copyright (c) 2026 Foo Inc.", "user bob@corp.example logged in", "SELECT 1 WHERE EXISTS (SELECT 2)", "feature ENABLED",
        "EVENT 5 received", "a=b is assumed", "key=value", "12 items sold", "2026 was a good year", "Mon to Fri open", "10.0.0.1 connected", "{not json",
        '{"a":1}', "[1] see below", "[1130/154704:ERROR] x", "[20826] 2026 was good", "shop.orders: order 7 paid", "<b>bold</b>", "<999>x", '"quoted" text', "error-budget report written", "web-1 is up", "GET in touch", "E = mc2", "", "5551234567 called", "5551234567: no answer", "4294967296 items sold", "report 2026-03-01 was sent", "error 2026-03-01 10:00:00: late",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_format_stays_as_it_is(message: str) -> None:
    record = lifted(message)
    assert (record.message, record.level_is_explicit, record.source, record.metadata) == (message, False, "unknown", {})


def test_what_was_sent_beats_what_stands_in_the_message() -> None:
    record = lifted(
        "2026-03-01 10:00:00 ERROR lost",
        level="WARN",
        level_is_explicit=True,
        source="mine",
        metadata={"thread": "sent"},
        timestamp=1,
    )
    assert (record.message, record.level, record.source, record.timestamp) == ("lost", "WARN", "mine", 1)
    assert record.metadata == {"thread": "sent", "level_in_message": "ERROR"}


@pytest.mark.parametrize(
    ("message", "source"),
    [
        ("shop.orders: order 7 paid", "shop.orders"),
        ("com.shop.Orders:  order 7 paid", "com.shop.Orders"),
        *(
            (sentence, "unknown")
            for sentence in (
                "orders: order 7 paid", "smtp.example.com: no answer", "shop.de: no answer", "app.yaml: no such key", "app.py: line 7",
                "django.db.utils.OperationalError: no such table", "a.b:c", "10.0.0.1: no answer", "nginx.service: failed",
            )
        ),
    ],
)  # fmt: skip
def test_a_dotted_name_after_time_and_level_is_the_source_and_stays(message: str, source: str) -> None:
    record = lifted(f"2026-03-01 10:00:00,123 ERROR {message}")
    assert (record.message, record.source) == (message, source)


def test_a_trace_behind_a_prefix_is_kept_whole() -> None:
    record = lifted("2026-03-01 10:00:00,000 - app - ERROR - failed\nTraceback (most recent call last):\n  x")
    assert record.message == "failed\nTraceback (most recent call last):\n  x"


def test_one_sentence_at_two_levels_stays_two_levels_after_learning() -> None:
    plugin = FormatsPlugin(FormatsPlugin.Config())
    levels = [lifted(f"[{level}] sync {number}", plugin).level for number in range(9) for level in ("info", "error")]
    assert levels == ["INFO", "ERROR"] * 9


def test_formats_can_be_switched_off_and_told_for_a_source() -> None:
    off = FormatsPlugin(FormatsPlugin.Config(off=("json",)))
    assert lifted('{"msg":"m"}', off).message == '{"msg":"m"}'
    told = FormatsPlugin.Config.model_validate({"sources": {"raw": [], "api": ["json"]}})
    assert lifted('{"msg":"m"}', FormatsPlugin(told), source="raw").message == '{"msg":"m"}'
    assert lifted('{"msg":"m"}', FormatsPlugin(told), source="api").message == "m"
    assert lifted("[info] m", FormatsPlugin(told), source="api").message == "[info] m"
    assert lifted("[info] m", FormatsPlugin(told), source="other").message == "m"


def test_outcomes_and_the_zone_are_configurable() -> None:
    config = FormatsPlugin.Config(outcomes=("result",), timezone="Europe/Berlin")
    record = lifted('{"msg":"m","result":"bad","error":"e"}', FormatsPlugin(config))
    assert (record.message, record.metadata) == ("m result=bad", {"error": "e"})
    with pytest.raises(ValidationError, match="no such zone"):
        FormatsPlugin.Config(timezone="Nowhere/Else")


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("503 GET /orders/7", "503 GET /orders/{ID}"), ("200 GET /v1/users/abc", "200 GET /v1/users/abc"), ("404 GET /wp-admin.php", "404 GET {PATH}"),
        ("GET /a/7 500 3ms", "GET /a/{ID} 500 {TIME}ms"), ("GET /a 200 12 - 3.5 ms", "GET /a 200 {SIZE} - {TIME} ms"), ("200 items", ""),
    ],
)  # fmt: skip
def test_requests_have_the_pattern_of_their_route(message: str, pattern: str) -> None:
    assert lifted(message).pattern == pattern


@pytest.mark.parametrize("first", ["1772359200 job 7 skipped", "5551234567 job 7 skipped"])
def test_digits_tell_a_time_from_a_number_of_one_shape(first: str) -> None:
    plugin = FormatsPlugin(FormatsPlugin.Config())
    for _ in range(2):
        lifted(first, plugin)
        assert lifted("1772359200 job 7 skipped", plugin).message == "job 7 skipped"
        assert lifted("5551234567 job 7 skipped", plugin).message == "5551234567 job 7 skipped"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("log_aggregator_formats.plugin.MEMO_CHARACTERS", 5000)
    plugin = FormatsPlugin(FormatsPlugin.Config())
    for number in range(300):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        lifted(f"user {name} went", plugin)
        lifted(f"[info] user {name} went", plugin)
    assert len(plugin._plain) + len(plugin._ways) < 80


PARTS = [line[0][:size] for line in (*LINES, *TIMELESS) for size in (8, 22, 60)]


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=6), max_size=4).map("".join))
def test_no_text_makes_it_raise(message: str) -> None:
    record = lifted(message)
    assert record.message or not message


@pytest.mark.serial
@pytest.mark.parametrize(
    "unit", ["a=b ", "[info] ", '"x" ', "2026-03-01 10:00:00 ", "x-1 | ", "a.b-", "0:", "[x] ", '{"a":']
)
def test_long_messages_cost_time_in_proportion_to_their_length(unit: str) -> None:
    plugin = FormatsPlugin(FormatsPlugin.Config())

    def seconds(length: int) -> float:
        times = []
        for number in range(5):
            start = time.process_time()
            lifted((unit * (length // len(unit) + 1))[:length] + "x" * number, plugin)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(16_000) < 40 * seconds(2000) + 0.005
