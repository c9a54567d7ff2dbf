"""`log-aggregator health`: the status, what is wrong, and an exit code for container health checks."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from log_aggregator.cli import health


class Answer(BaseHTTPRequestHandler):
    document: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        body = json.dumps(self.document).encode()
        self.send_response(200 if self.document.get("accepting") else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "accepting", "checks", "code", "lines"),
    [
        ("healthy", True, {"queue": {"ok": True, "records": 3}}, 0, []),
        ("degraded", True, {"a": {"ok": False, "detail": "why"}, "b": {"ok": True}}, 0, ["  a: why"]),
        ("degraded", True, {"sink x": {"ok": False, "state": "stopped", "detail": ""}}, 0, ["  sink x: stopped"]),
        ("unhealthy", False, {"rejections": {"ok": False, "share": 0.5}}, 1, ["  rejections: fails"]),
    ],
)
def test_what_is_wrong_has_a_line(
    url: str, capsys: pytest.CaptureFixture[str], status: str, accepting: bool, checks: Any, code: int, lines: list[str]
) -> None:
    Answer.document = {"status": status, "accepting": accepting, "checks": checks}
    assert health.run(argparse.Namespace(url=url, json=False, timeout=20)) == code
    assert capsys.readouterr().out.splitlines() == [f"{url}: {status}", *lines]
    assert health.run(argparse.Namespace(url=url, json=True, timeout=20)) == code
    assert json.loads(capsys.readouterr().out) == Answer.document
