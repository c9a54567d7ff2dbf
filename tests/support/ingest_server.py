"""A real HTTP server that takes batches as the service does, and misbehaves on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Answer = tuple[int, dict[str, str], dict[str, Any]]
Misbehave = Callable[[list[bytes]], Answer | None]


class Service:
    """Counts what it accepted, by Idempotency-Key as the real one does."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []
        self.requests: list[dict[str, str]] = []
        self.keys: dict[str, int] = {}
        self.next_answers: list[Misbehave] = []
        self.lose_answers = 0
        self.answers = threading.Event()
        """Cleared: what comes is taken, but not answered."""
        self.answers.set()
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    answer = outer.take(dict(self.headers), body.split(b"\n"))
                outer.answers.wait()
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, told = answer
                data = json.dumps(told).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def messages(self) -> list[str]:
        return [log["message"] for log in self.logs]

    def take(self, headers: dict[str, str], lines: list[bytes]) -> Answer | None:
        """`None` drops the connection without an answer."""
        self.requests.append(headers)
        if self.next_answers:
            answer = self.next_answers.pop(0)(lines)
            if answer is not None:
                return answer
        rejected = []
        key = headers["Idempotency-Key"]
        if key not in self.keys:
            good = []
            for index, line in enumerate(lines):
                try:
                    log = json.loads(line)
                    assert isinstance(log["message"], str)
                except (ValueError, KeyError, TypeError, AssertionError):
                    rejected.append({"index": index, "error": "message: expected text"})
                else:
                    good.append(log)
            self.logs += good
            self.keys[key] = len(good)
        if self.lose_answers:
            self.lose_answers -= 1
            return None
        status = 202 if self.keys[key] else 422
        return status, {}, {"accepted": self.keys[key], "rejected": rejected}

    def close(self) -> None:
        self.answers.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()
