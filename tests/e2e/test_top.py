"""`log-aggregator top` in a real terminal, and printed once."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from contextlib import contextmanager

from tests.support.service import COMMAND


def once(url: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "top", "--once", "--url", url]
    environment = {**os.environ, **environ}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_says_what_to_do_where_there_is_nothing(service):
    done = once(service.url)
    assert done.returncode == 0
    assert "no patterns yet: send something with `log-aggregator demo`" in done.stdout


def test_shows_rates_sinks_and_patterns_and_is_not_fooled_by_a_log(service):
    hostile = "\x1b[2J\x1b]0;title\x07 gone"
    messages = [*({"message": f"User {n} logged in", "level": "WARN"} for n in range(5)), {"message": hostile}]
    service.post("/ingest/batch", messages)
    service.post("/flush")
    shown = once(service.url).stdout
    assert "6 logs" in shown
    assert "WARN 5   INFO 1" in shown
    rows = [line.split(maxsplit=3) for line in shown.splitlines()]
    assert ["5", "WARN", "unknown", "User {ID} logged in"] in rows
    assert any(row[:2] == ["sqlite", "stored"] for row in rows)
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "gone" in shown


def test_a_line_is_as_wide_as_the_terminal(service):
    service.post("/ingest", {"message": "The parcel " + "of somebody " * 80 + "was lost", "level": "ERROR"})
    service.post("/flush")
    lines = once(service.url).stdout.splitlines()
    assert any("The parcel of somebody" in line for line in lines)
    assert max(map(len, lines)) <= int(os.environ.get("COLUMNS", "80"))


def test_a_service_that_is_away_is_named():
    done = once("http://127.0.0.1:1")
    assert done.returncode == 1
    wanted = "log-aggregator top: http://127.0.0.1:1: Connection refused; is the service running there?\n"
    assert done.stderr == wanted


def test_a_key_that_is_missing_is_asked_for(start_service, tmp_path):
    file = tmp_path / "keys.toml"
    command = [COMMAND, "keys", "new", "reader", "--scope", "read", "--file", str(file)]
    key = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    service = start_service(environ={"API_KEYS_FILE": str(file)})
    done = once(service.url)
    assert done.returncode == 1
    assert done.stderr.startswith(f"log-aggregator top: {service.url}: 401 an API key is needed; expected ")
    assert done.stderr.endswith("; set LOG_AGGREGATOR_API_KEY\n")
    assert once(service.url, LOG_AGGREGATOR_API_KEY=key).returncode == 0


def test_an_address_without_http_is_taken(service):
    assert once(service.url.removeprefix("http://")).returncode == 0


def test_q_quits_and_the_terminal_is_as_it_was(service):
    service.post("/ingest", {"message": "User 1 logged in"})
    service.post("/flush")
    with top_in_a_terminal(service) as (process, controller):
        seen = read_until(controller, b"User {ID} logged in")
        assert seen.startswith(b"\x1b[?1049h")
        service.post("/ingest/batch", [{"message": f"Other {n}"} for n in range(9)])
        read_until(controller, b"10 logs")
        os.write(controller, b"xq")
        assert read_until(controller, b"\x1b[?1049l")
        assert process.wait(30) == 0


def test_keys_sort_search_choose_and_open(service):
    messages = [*({"message": f"User {n} logged in"} for n in range(5)), {"message": "Disk is full", "level": "ERROR"}]
    service.post("/ingest/batch", messages)
    service.post("/flush")
    with top_in_a_terminal(service) as (process, controller):
        read_until(controller, b"s: order")
        os.write(controller, b"s")
        read_until(controller, b"by newest")
        os.write(controller, b"/level:errr\x7for\r")
        read_until(controller, b"search: level:error\x1b")
        os.write(controller, b"j")
        read_until(controller, b"> ")
        os.write(controller, b"\r")
        read_until(controller, b"any key: back")
        os.write(controller, b"x")
        read_until(controller, b"Disk is full")
        os.write(controller, b"/\x1b[A\x1bq")
        assert read_until(controller, b"\x1b[?1049l")
        assert process.wait(30) == 0


@contextmanager
def top_in_a_terminal(service):
    """`top` with a terminal of its own; the descriptor that a person would type and read at."""
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    command = [COMMAND, "top", "--every", "0.1", "--url", service.url]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
    try:
        yield process, controller
    finally:
        process.kill()
        process.wait()
        os.close(controller)
        os.close(terminal)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    seen = b""
    deadline = time.monotonic() + 240
    while wanted not in seen and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0.2)[0]:
            seen += os.read(descriptor, 65536)
    assert wanted in seen, seen
    return seen
