"""What is remembered of a shape changes no result: lines of one shape are read as each would be alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator.model.fields.timestamps import microseconds_of, read
from log_aggregator.model.fields.written_times import read_yearless
from log_aggregator_dev import run_stage
from log_aggregator_formats import FormatsPlugin
from log_aggregator_formats.found import Found, iso_moment
from log_aggregator_formats.recognise import Recogniser

LINES = (
    "2026-03-01 10:00:00,000 - app - WARNING - retry 5",
    "2026-03-01 10:00:00.000  INFO 12345 --- [exec-1] c.e.App       : started 3",
    "2026-03-01 10:00:00,000 [main] ERROR com.acme.Foo7 - slow",
    "[2026-03-01T10:00:00.000] [INFO] shop.orders - order 7 paid",
    "2026-03-01T10:00:00.000Z [shop2] info: order 7 paid",
    "2026-03-01 10:00:00.000 | INFO     | __main__:<module>:10 - order 7 paid",
    "2026-03-01 10:00:00.000 UTC [77] user@db ERROR:  relation lost",
    "2026-03-01 10:00:00.000 UTC [77] user@db DEBUG1:  relation lost",
    "2026-03-01 10:00:00 DEBUG3 x",
    "DEBUG5: x",
    "[2026-03-01 10:00:00,000: WARNING/MainProcess] task late",
    "2026/03/01 10:00:00 main.go:12: listening",
    '2026/03/01 10:00:00 [error] 77#77: *1 connect() failed, client: 10.0.0.1, request: "GET /a HTTP/1.1"',
    "[Sun Mar 01 10:00:00.000000 2026] [core:trace3] [pid 1:tid 2] [client 1.2.3.4:5] AH00001: gone",
    "2026-03-01 10:00:00 status installed libc6:amd64 2.36-9",
    "2026-03-01 10:00:00 10.0.0.1 GET /a - 443 - 10.0.0.2 curl/8 200 0 0 15",
    "10:00:00.123 [main] INFO app - started 5",
    "20260301-10:00:00.000 job 5 done",
    "Mar  1 10:00:00 web1 app[9]: job 5 done",
    "2026-03-01T10:00:00.1Z web1 app5[9]: level=info msg=done id=7",
    "E0301 10:00:00.000000  118528 kubelet.go:1875] pod 7 gone",
    "03-01 10:00:00.123  1234  5678 E Tag: gone 7",
    "E/Tag( 1234): gone",
    "1:M 01 Mar 2026 10:00:00.001 # low on memory",
    "I, [2026-03-01T10:00:00.123456 #1234]  INFO -- : done 5",
    "web-1  | 2026-03-01 10:00:00 INFO started 5",
    "2026-03-01T10:00:00.1Z stderr F [error] sync 1",
    "<34>Mar  1 10:00:00 host app[9]: gone",
    "<3>gone 5",
    "[   12.345678] usb 1-1: new device",
    "crit: App7[5] gone",
    'time=2026-03-01T10:00:00Z level=info msg="request handled" status=200 id=007 n=9',
    'level=error ts=1772359200.5 caller=main.go:7 msg="a \\"b\\"" err="timeout 5s"',
    "level=info key1=5 key2=7 msg=done",
    "method=GET path=/a/7 status=200 level=info",
    "level=50 msg=done error=7",
    "level=30 time=1772359200 msg=7",
    '{"level":30,"time":1772359200000,"msg":"done 5","n":1,"res":{"statusCode":200}}',
    '10.0.0.7 - - [01/Mar/2026:10:00:00 +0000] "GET /orders/7?a=5 HTTP/1.1" 200 15 "-" "curl/8"',
    '10.0.0.1:5000 - "GET /x/7 HTTP/1.1" 200 OK',
    "GET /orders/7 200 3ms",
    "job 5 done in 7 s",
    "12 jobs: ERROR 5",
    "at ١٢ 2026-03-01 x 5",
    "2026-03-01 10:00:00 INFO ١٢ jobs 5",
    "2026-03-01 10:00:00,000 [myid:3] - WARN  [main:QuorumPeer@173] - no quorum of 5",
    "2026-03-01 10:00:00.000 ERROR (Worker_3) [homeassistant.core] gone 7",
    "[2026-03-01 10:00:00,000] {task.py:1345} INFO - marked 5",
    "[2026/03/01 10:00:00.123456,  2] ../../source3/smbd/service.c:168(main)\n  chdir 5 failed",
    "Sun Mar  1 10:00:00 2026 local0.err dnsmasq[15]: no address for 5",
)
CHARACTERS = st.sampled_from("[](){}:|-=\"' .,/#\\aEZ٣0\n")


def read_by(plugin: FormatsPlugin, *messages: str) -> list[Record]:
    """The records of some messages, received now; one that keeps the time of receipt has 0."""
    now = time.time_ns() // 1000
    records = [Record(message, "INFO", "unknown", now, {}, level_is_explicit=False) for message in messages]
    done = run_stage(plugin, records)
    for record in done:
        if record.timestamp == now:
            record.timestamp = 0
    return done


def plainly(message: str) -> Record:
    """The record as a plugin makes it that has seen nothing before."""
    (record,) = read_by(FormatsPlugin(FormatsPlugin.Config()), message)
    return record


@st.composite
def lines_of_one_shape(draw: st.DrawFn) -> list[str]:
    """Lines that differ in digits: of a format, or of one with a character changed, left out or put in."""
    line = draw(st.sampled_from(LINES))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(line) - 1))
        line = line[:place] + draw(CHARACTERS | st.just("")) + line[place + draw(st.integers(0, 1)) :]
    digits = draw(st.lists(st.text("0123456789", min_size=len(line), max_size=len(line)), min_size=5, max_size=5))
    changed = ["".join(d if c in "0123456789" else c for c, d in zip(line, some, strict=True)) for some in digits]
    few = draw(st.integers(0, len(line)))
    return [line, *(a[:few] + line[few:] for a in changed), *(line[:few] + a[few:] for a in changed)]


@given(lines_of_one_shape())
@settings(max_examples=150, deadline=None)
def test_what_is_remembered_changes_nothing(lines: list[str]) -> None:
    """The first batch learns ways and layouts, the second uses them from its first line."""
    plugin = FormatsPlugin(FormatsPlugin.Config())
    expected = [plainly(line) for line in lines]
    for _ in range(2):
        assert read_by(plugin, *lines) == expected


@pytest.mark.parametrize("line", [LINES[0], LINES[1], LINES[18], LINES[20], LINES[23]])
def test_the_usual_formats_have_layouts(line: str) -> None:
    """Otherwise the test above would compare the plain way with itself."""
    recogniser = Recogniser((), frozenset(), UTC)
    told = recogniser.recognise(line, time.time_ns() // 1000)
    assert told is not None
    assert recogniser.layout(told[1], line) is not None


@given(
    st.from_regex(
        r"[12]\d{3}-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d([.,]\d{0,10})?(Z|\+01:00| UTC|x)?", fullmatch=True
    )
)
def test_an_iso_time_is_read_as_the_field_table_reads_it(text: str) -> None:
    """With and without a fraction and a zone, valid or not."""
    assert _outcome(iso_moment, text) == _outcome(read, text)


def _outcome(function: Callable[[str], int], text: str) -> int | None:
    try:
        return function(text)
    except (ValueError, OverflowError):
        return None


@pytest.mark.parametrize(
    "text", ["Mar  1 23:59:59", "Mar  2 00:00:00", "Mar  2 00:00:30", "Mar  2 00:01:00", "Feb 29 10:00:30"]
)
def test_a_time_without_a_year_is_read_as_the_field_table_reads_it(text: str) -> None:
    """Also at the end of the day of receipt: what is later is of the year before."""
    received = read("2026-03-01 00:00:00")
    assert Found(text, received, UTC)._moment(text) == microseconds_of(read_yearless(text, received, UTC))
