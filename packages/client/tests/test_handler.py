"""Python's logging reaches the service: complete, without blocking, bounded, also when the program ends."""

from __future__ import annotations

import logging
import logging.config
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from log_aggregator_client import LogAggregatorHandler

SOURCES = Path(__file__).parents[1] / "src"


@pytest.fixture
def logger():
    logger = logging.Logger("shop.orders")  # noqa: LOG001  outside the tree: no other test sees its handlers
    yield logger
    for handler in logger.handlers:
        handler.close()


def attach(logger, server, **options) -> LogAggregatorHandler:
    handler = LogAggregatorHandler(server.url, "shop", **options)
    logger.addHandler(handler)
    return handler


def slow_answer(event: threading.Event):
    return lambda lines: event.wait(30) and None


def unavailable(lines):
    return 503, {"Retry-After": "0.01"}, {"detail": "the journal is full"}


def test_a_log_arrives_with_all_it_holds(server, logger):
    attach(logger, server)
    before = time.time()
    try:
        raise OSError("disk")
    except OSError:
        logger.exception("User %d failed", 123, extra={"user": 123, "order": {"id": 7}})
    logger.handlers[0].flush()
    (log,) = server.logs
    first, *trace = log["message"].split("\n")
    assert (first, trace[0], trace[-1]) == ("User 123 failed", "Traceback (most recent call last):", "OSError: disk")
    assert (log["level"], log["source"]) == ("ERROR", "shop")
    assert before <= log["timestamp"] <= time.time()
    assert log["metadata"] == {
        "logger": "shop.orders",
        "module": "test_handler",
        "thread": "MainThread",
        "user": 123,
        "order": {"id": 7},
        "exception": "OSError",
    }


def test_a_deep_traceback_arrives_whole(server, logger):
    handler = attach(logger, server)

    def deeper(levels: int) -> None:
        if not levels:
            raise KeyError("total")
        deeper_too(levels - 1)

    def deeper_too(levels: int) -> None:
        deeper(levels)

    try:
        deeper(13)
    except KeyError:
        logger.exception("request failed", stack_info=True)
    handler.flush()
    message = server.messages[0]
    assert message.count("deeper_too(levels - 1)") == 13
    assert 'raise KeyError("total")' in message
    assert message.index("KeyError: 'total'") < message.index("Stack (most recent call last):")


def test_values_that_json_cannot_hold_become_text(server, logger):
    handler = attach(logger, server)
    circle: dict = {}
    circle["self"] = circle
    logger.info("a", extra={"path": Path("/a"), "nested": {"path": [Path("/b")]}, "number": float("inf")})
    logger.info("b", extra={"circle": circle, "keys": {(1, 2): 3}, "user": 7})
    handler.flush()
    first, second = (log["metadata"] for log in server.logs)
    assert (first["path"], first["nested"]) == ("/a", {"path": ["/b"]})
    assert (second["keys"], second["user"]) == ("{(1, 2): 3}", 7)


def test_a_formatter_decides_the_message(server, logger):
    attach(logger, server).setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    logger.warning("late")
    logger.handlers[0].flush()
    assert server.messages == ["[WARNING] late"]


def test_the_default_format_of_basic_config_is_no_formatter(server, logger):
    attach(logger, server).setFormatter(logging.Formatter(logging.BASIC_FORMAT))
    logger.warning("late")
    logger.handlers[0].flush()
    assert server.messages == ["late"]


def test_logs_go_in_batches_and_in_order(server, logger):
    handler = attach(logger, server, batch=100)
    for number in range(1000):
        logger.info("log %d", number)
    handler.flush()
    assert server.messages == [f"log {number}" for number in range(1000)]
    assert len(server.requests) < 30
    assert (handler.sent, handler.refused, handler.dropped) == (1000, 0, 0)


def test_a_few_logs_do_not_wait_for_a_full_batch(server, logger):
    attach(logger, server, interval=0.05)
    logger.info("alone")
    deadline = time.monotonic() + 120
    while not server.logs and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.messages == ["alone"]


def test_a_service_that_does_not_answer_blocks_nobody_and_the_queue_stays_bounded(server, logger):
    release = threading.Event()
    server.next_answers = [slow_answer(release)]
    handler = attach(logger, server, capacity=50, batch=10, interval=0.01, flush_timeout=60)
    logger.info("first")
    while not server.requests:
        time.sleep(0.01)
    started = time.monotonic()
    for number in range(1000):
        logger.info("log %d", number)
    assert time.monotonic() - started < 30
    assert handler.dropped == 950
    release.set()
    handler.flush()
    note = "950 logs dropped by the log handler before they were sent"
    assert [message for message in server.messages if message != note] == ["first", *(f"log {n}" for n in range(50))]
    assert server.messages.count(note) == 1
    assert handler.sent == 51


def test_an_outage_costs_nothing_while_the_queue_has_room(server, logger):
    server.next_answers = [unavailable] * 3
    server.lose_answers = 1
    handler = attach(logger, server, flush_timeout=60)
    for number in range(300):
        logger.info("log %d", number)
    handler.flush()
    assert server.messages == [f"log {number}" for number in range(300)]
    assert handler.dropped == 0


def test_refusals_are_counted_and_said_once(server, logger, capsys):
    server.next_answers = [lambda lines: (422, {}, {"rejected": [{"index": 0, "error": "message: too odd"}]})] * 2
    handler = attach(logger, server)
    for _ in range(2):
        logger.info("odd")
        handler.flush()
    assert (handler.sent, handler.refused) == (0, 2)
    assert capsys.readouterr().err == "log-aggregator handler: the service refused logs: message: too odd\n"


def test_a_key_that_is_not_good_is_said_once_and_the_loss_counted(server, logger, capsys):
    server.next_answers = [lambda lines: (401, {}, {"detail": "an API key is needed"})] * 2
    handler = attach(logger, server)
    for _ in range(2):
        logger.info("secret text")
        handler.flush()
    assert handler.dropped == 2
    assert capsys.readouterr().err == f"log-aggregator handler: {server.url}: 401 an API key is needed\n"


def test_a_log_that_cannot_be_formatted_does_not_break_the_program(server, logger, capsys):
    handler = attach(logger, server)
    logger.info("%d", "no number")
    logger.info("good")
    handler.flush()
    assert server.messages == ["good"]
    assert "no number" in capsys.readouterr().err


def run(code: str, server) -> subprocess.CompletedProcess[str]:
    start = f"import logging, os, sys\nfrom log_aggregator_client import LogAggregatorHandler\nURL = {server.url!r}\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, timeout=60, check=False)


def test_what_is_left_goes_out_when_the_program_ends(server):
    code = """
logging.getLogger().addHandler(LogAggregatorHandler(URL, "shop", interval=3600, flush_timeout=50))
for number in range(700):
    logging.warning("log %d", number)
"""
    started = time.monotonic()
    assert run(code, server).returncode == 0
    assert time.monotonic() - started < 30
    assert server.messages == [f"log {number}" for number in range(700)]


def test_a_program_ends_in_time_although_the_service_is_away():
    class Nobody:
        url = "http://127.0.0.1:1"

    code = """
logging.getLogger().addHandler(LogAggregatorHandler(URL, "shop", flush_timeout=0.3))
logging.warning("lost")
"""
    started = time.monotonic()
    done = run(code, Nobody)
    assert time.monotonic() - started < 30
    assert done.returncode == 0
    assert "1 log was not sent before the program ended" in done.stderr


def test_a_forked_child_sends_its_own_logs_and_not_the_parents(server):
    code = """
handler = LogAggregatorHandler(URL, "shop", interval=0.2)
logging.getLogger().addHandler(handler)
logging.warning("parent before")
child = os.fork()
logging.warning("child" if child == 0 else "parent after")
if child:
    os.waitpid(child, 0)
"""
    assert run(code, server).returncode == 0
    assert sorted(server.messages) == ["child", "parent after", "parent before"]


def test_works_from_a_dictionary(server):
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "aggregator": {
                    "class": "log_aggregator_client.LogAggregatorHandler",
                    "url": server.url,
                    "source": "shop",
                    "level": "WARNING",
                }
            },
            "loggers": {"from-dictionary": {"handlers": ["aggregator"], "level": "DEBUG"}},
        }
    )
    logger = logging.getLogger("from-dictionary")
    logger.info("quiet")
    logger.warning("loud")
    (handler,) = logger.handlers
    handler.close()
    logger.removeHandler(handler)
    assert server.messages == ["loud"]


def test_needs_only_the_standard_library():
    """In an interpreter that sees no installed package, so not the core either."""
    code = f"import sys; sys.path.append({str(SOURCES)!r}); import log_aggregator_client; print(*sys.modules)"
    isolated = [sys.executable, "-I", "-S", "-c", code]
    printed = subprocess.run(isolated, capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in printed.split()}
    assert loaded - sys.stdlib_module_names - {"__main__"} == {"log_aggregator_client"}
