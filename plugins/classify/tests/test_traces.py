"""Stack traces of four languages: which are one group, which are not, and that reading them stays cheap."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator_classify import ClassifyPlugin, find_trace
from log_aggregator_classify.config import Config
from log_aggregator_classify.trace import same
from log_aggregator_dev import run_stage

PYTHON = """Request {a} failed
Traceback (most recent call last):
  File "/srv/app/shop/cart.py", line 4{a}, in add
    item = items[key]
           ~~~~~^^^^^
KeyError: 'sku-{a}'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3/site-packages/django/core/handlers/exception.py", line {a}, in inner
    response = get_response(request)
  File "/srv/app/shop/views.py", line 17{a}, in buy
    cart.add(sku)
shop.errors.CartError: no such item {a}
"""
JAVA = """2026-01-01 12:00:0{a} ERROR Exception in thread "main-{a}" java.lang.IllegalStateException: boom {a}: x
\tat com.acme.web.Handler.lambda$handle$0(Handler.java:4{a})
\tat java.base/java.lang.Thread.run(Thread.java:83{a})
Caused by: java.sql.SQLException: Connection refused {a}
\tat com.acme.db.Pool.get(Pool.java:1{a})
\tat com.acme.db.Dao.<init>(Dao.java:{a})
\tat com.acme.web.Handler$$Lambda$14{a}/0x000000080{a}c3.run(Unknown Source)
\t... 3 more"""
JAVASCRIPT = """Unhandled TypeError: Cannot read properties of undefined (reading 'id{a}')
    at getUser (/srv/app/users.js:10:1{a})
    at async Router.handle [as handle_request] (/srv/app/node_modules/express/lib/router.js:284:{a})
    at /srv/app/index.js:5:{a}"""
FIREFOX = """RangeError: boom {a}
foo@https://x.example/app.js:10:{a}
bar@https://x.example/app.js:2{a}:1"""
GO = """panic: runtime error: index out of range [{a}] with length 3

goroutine {a} [running]:
runtime.gopanic(0x{a})
\t/usr/lib/go/src/runtime/panic.go:88{a}
main.(*Server).handle(0xc00001000{a}, 0x5)
\t/srv/app/server.go:4{a} +0x1d
main.main()
\t/srv/app/main.go:10 +0x2{a}
exit status 2"""
DEADLOCK = """fatal error: all goroutines are asleep - deadlock!

goroutine 18 [chan receive]:
runtime.gopark(...)
\t/usr/lib/go/src/runtime/proc.go:39{a}
example.com/x/worker.Run.func1()
\t/w/run.go:9 +0x{a}
created by example.com/x/worker.Run in goroutine {a}
\t/w/run.go:8 +0x3

goroutine 19 [select]:
example.com/x/other.Run()
\t/w/other.go:{a}"""

EXPECTED = {
    PYTHON: ("python", "{TRACE} shop.errors.CartError caused by KeyError at shop.views.buy < handlers.exception.inner"),
    JAVA: (
        "java",
        (
            "{TRACE} java.lang.IllegalStateException caused by java.sql.SQLException"
            " at com.acme.db.Pool.get < com.acme.db.Dao.<init>"
        ),
    ),
    JAVASCRIPT: ("javascript", "{TRACE} TypeError at getUser < Router.handle < app.index"),
    FIREFOX: ("javascript", "{TRACE} RangeError at foo < bar"),
    GO: ("go", "{TRACE} runtime error: index out of range [0] with length 0 at main.(*Server).handle < main.main"),
    DEADLOCK: (
        "go",
        "{TRACE} all goroutines are asleep - deadlock! at example.com/x/worker.Run.func0 < example.com/x/worker.Run",
    ),
}


def record(message: str, pattern: str = "") -> Record:
    return Record(message, "INFO", "web", 0, {}, pattern=pattern)


def patterns(*messages: str, config: Config | None = None) -> list[str]:
    records = [record(message, pattern="earlier") for message in messages]
    run_stage(ClassifyPlugin(config or Config()), records)
    return [one.pattern for one in records]


@pytest.mark.parametrize("text", EXPECTED, ids=lambda text: text[:12])
def test_a_trace_is_grouped_by_exception_and_top_frames(text: str) -> None:
    language, pattern = EXPECTED[text]
    trace = find_trace(text.replace("{a}", "7"))
    assert trace is not None
    assert trace.language == language
    assert patterns(*(text.replace("{a}", digit) for digit in "1385")) == [pattern] * 4


@pytest.mark.parametrize("text", EXPECTED, ids=lambda text: text[:12])
def test_another_function_or_exception_is_another_group(text: str) -> None:
    text = text.replace("{a}", "1")
    changes = [("buy", "sell"), ("CartError", "StockError"), ("Pool.get", "Pool.put"), ("SQLException", "IOException"),
               ("getUser", "getCart"), ("TypeError", "SyntaxError"), ("foo@", "baz@"), ("RangeError", "URIError"),
               ("handle(0x", "serve(0x"), ("index out of range", "nil map"), ("worker.Run.func", "worker.Stop.func"),
               ("are asleep", "are busy")]  # fmt: skip
    found = [(old, patterns(text.replace(old, new))) for old, new in changes if old in text]
    assert len(found) == 2
    assert all(pattern != patterns(text) for _, pattern in found), found


@pytest.mark.parametrize(
    "message",
    ["look at this\nand at that", "Traceback (most recent call last):\nnothing", "goroutine 1 [running]:\n",
     "a@b.c\nd@e.f:12", "one line at com.acme.Foo.bar(Foo.java:1)", "list:\n  at home\n  at work", "x\n\tat y", "",
     "\n"],
)  # fmt: skip
def test_what_only_looks_like_a_trace_keeps_its_pattern(message: str) -> None:
    assert patterns(message) == ["earlier"]


@given(st.text() | st.lists(st.sampled_from([line for text in EXPECTED for line in text.splitlines()])).map("\n".join))
def test_no_text_makes_it_raise(text: str) -> None:
    trace = find_trace(text)
    assert trace is None or trace.exception


def test_the_number_of_frames_is_configurable_and_traces_can_be_left_alone() -> None:
    text = JAVASCRIPT.replace("{a}", "1")
    assert patterns(text, config=Config(trace_frames=0)) == ["{TRACE} TypeError"]
    assert patterns(text, config=Config(trace_frames=1)) == ["{TRACE} TypeError at getUser"]
    assert patterns(text, config=Config(traces=False)) == ["earlier"]


def test_a_trace_is_tagged_and_is_an_error_when_no_level_was_sent() -> None:
    plugin = ClassifyPlugin(Config())
    sent, unsent = record(GO), record(GO)
    unsent.level_is_explicit = False
    run_stage(plugin, [sent, unsent])
    assert (sent.level, unsent.level) == ("INFO", "CRITICAL" if "deadlock" in unsent.pattern else "ERROR")
    assert "stack-trace" in sent.tags


HOSTILE = {
    "newlines": "\n", "blanks": "\n    ", "at": "\n    at a", "dots": "a.", "java": "\n\tat a.b(", "colons": ":1",
    "js": "\n    at a (b:1:", "go": "\nmain.f((((", "go frames": "\n((((((((", "ats": "\na@",
    "brackets": "\n at a [as ",
    "python": '\n  File "a", line 1, in b', "caused": "\nCaused by: a.", "spaces": "\n" + " " * 300,
    "names": "\n    at " + "a " * 100,
}  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("head", ["", "Traceback (most recent call last)\n", "goroutine 1\n", "x\n at @"])
def test_hostile_texts_cost_time_in_proportion_to_their_length(part: str, head: str) -> None:
    """Eight times the length: about 8 times the time when linear, 64 times when quadratic."""

    def seconds(length: int) -> float:
        text = head + (part * (length // len(part) + 1))[:length] + "\n"
        times = []
        for _ in range(3):
            start = time.process_time()
            find_trace(text)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(16_384) < 32 * seconds(2048) + 0.005


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("e2e.oauth2.s3.i18n.load", "e2e.oauth2.s3.i18n.load"), ("main.handle.func1", "main.handle.func0"),
        ("lambda$run$0", "lambda$run$0"), ("$$Lambda$14/0x3f00", "$$Lambda$0/0"), ("$Proxy7.invoke", "$Proxy0.invoke"),
        ("MethodAccessor42", "MethodAccessor0"), ("MethodAccessor7.invoke", "MethodAccessor0.invoke"),
        ("Cart$$ByCGLIB$$8f1a2b3c.add", "Cart$$ByCGLIB$$0.add"),
        ("Worker123.run", "Worker0.run"),
    ],
)  # fmt: skip
def test_a_name_keeps_its_digits_and_loses_what_is_generated(name: str, kept: str) -> None:
    assert same(name) == kept
