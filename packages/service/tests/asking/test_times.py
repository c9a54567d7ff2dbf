"""Times on the command line: relative ones without a sign, and local ones where there is no zone."""

from __future__ import annotations

from datetime import datetime

import pytest

from log_aggregator_service.asking.times import ahead_argument, span_argument, time_argument


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("1h", "-1h"),
        ("-1h", "-1h"),
        ("+2h", "+2h"),
        ("now", "now"),
        ("mark:a-1", "mark:a-1"),
        ("1764000000", "1764000000"),
        ("soon", "soon"),
    ],
)
def test_what_the_service_understands_is_left_to_it(text: str, sent: str) -> None:
    assert time_argument(text) == sent


def test_local_times_get_their_zone() -> None:
    moment = datetime.fromisoformat(time_argument("14:00"))
    assert (moment.hour, moment.minute) == (14, 0)
    assert 0 <= (datetime.now().astimezone() - moment).total_seconds() < 25 * 3600
    assert datetime.fromisoformat(time_argument("2026-01-02T03:04")).tzinfo is not None
    assert time_argument("2026-01-02T03:04:00+05:00") == "2026-01-02T03:04:00+05:00"


def test_spans_and_times_ahead() -> None:
    assert span_argument("2h..1h") == "-2h..-1h"
    assert span_argument("mark:a") == "mark:a"
    assert ahead_argument("2h") == "+2h"
