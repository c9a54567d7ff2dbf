"""What is read quickly is what is read with places."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from log_aggregator_reader import quick, quick_records, records

LINES = st.sampled_from(
    [
        "plain one", "plain two", "User 5 logged in", "", "  ", "\r", "plain\r", "\tat a.b.C.d(C.java:5)", "  indented",
        "2026-03-01 10:00:00 ERROR failed", " [2026-03-01 10:00:00] x", "Traceback (most recent call last):",
        '  File "a.py", line 5, in f', "ValueError: bad", "x ERROR Traceback (most recent call last):",
        "During handling of the above exception, another exception occurred:", "java.lang.IllegalStateException: no",
        "Caused by: java.io.IOException: gone", "... 5 more", "}", "]);", '{"a": 5}', '{"a":', "panic: no",
        "goroutine 1 [running]:",
        "main.main()", "exit status 2", "thread 'main' panicked at src/main.rs:5:3:", "/app/x.js:5",
        "Next Foo\\BarException: x",
        "Stack trace:", "#0 /a.php(5): f()", "#0 {main}", "Node.js v20.1", "note: run with RUST_BACKTRACE",
        '{"log":"in a box\\n","stream":"stdout","time":"2026-03-01T10:00:00Z"}', "2026-03-01T10:00:00Z stdout F in cri",
        "** (RuntimeError) boom", "#0      main (file:///app/bin/main.dart:3:5)",
        "2026-03-01T10:00:00Z stderr P par", "Next please", "error: invalid",
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=40), st.booleans(), st.integers(1, 60), st.integers(20, 200))
@example(["plain one", "\tat a.b.C.d(C.java:5)", "", "\tat a.b.C.d(C.java:5)"], True, 60, 34)
@example(["plain one", '{"log":"in a box\\n","stream":"stdout","time":"2026-03-01T10:00:00Z"}'], True, 10, 20)
@example(["plain one", "2026-03-01T10:00:00Z stderr P par", "2026-03-01T10:00:00Z stderr F tial"], True, 200, 200)
@example(["2026-03-01 10:00:00 ERROR failed", "ValueError: bad"], True, 60, 60)
@settings(max_examples=400, deadline=None)
def test_the_records_are_the_same(lines: list[str], is_ended: bool, chunk: int, piece: int) -> None:
    text = ("\n".join(lines) + "\n" * is_ended).encode()
    chunks = [text[at : at + chunk] for at in range(0, len(text), chunk)]
    before, quick._PIECE = quick._PIECE, piece
    try:
        found: list[bytes] = []
        for some in quick_records(chunks):
            found += some.split(b"\n") if isinstance(some, bytes) else some
    finally:
        quick._PIECE = before
    assert found == [record.text for record in records(chunks) if record is not None]


def test_plain_lines_come_together() -> None:
    text = b"".join(b"User %d logged in\n" % number for number in range(50))
    found = [some for some in quick_records([text]) if some]
    assert found == [text[:-1].rpartition(b"\n")[0], [b"User 49 logged in"]]
