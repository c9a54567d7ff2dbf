"""A stand-in for a phone: takes notifications in ntfy's form on a local port, and shows them."""

from __future__ import annotations

import json
import textwrap
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from log_aggregator_service.commands.screen import plain

_WIDTH = 58
_LARGEST = 65_536


class Phone:
    """Listens on a free port of this machine. `show` is called with each notification, drawn for a terminal."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self.rang = threading.Event()
        """Set once a notification came."""
        phone = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server calls
                try:
                    length = min(_LARGEST, max(0, int(self.headers.get("Content-Length") or 0)))
                    document = json.loads(self.rfile.read(length))
                    screen = drawn(document)
                except (ValueError, TypeError, AttributeError):
                    self.send_error(400)
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                show(screen)
                phone.rang.set()

            def log_message(self, *_: Any) -> None:
                """Write nothing: the notification is the message."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/phone"
        threading.Thread(target=self._server.serve_forever, name="phone", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def drawn(document: dict[str, Any]) -> str:
    """A notification as a phone would show it: a frame with title, text and link."""
    lines = textwrap.wrap(plain(str(document["title"])), _WIDTH)
    for line in str(document["message"]).splitlines():
        lines += textwrap.wrap(plain(line), _WIDTH, subsequent_indent="  ") or [""]
    if document.get("click"):
        lines += ["", *textwrap.wrap(plain(str(document["click"])), _WIDTH)]
    rows = "".join(f"| {line:<{_WIDTH}} |\n" for line in lines)
    edge = f"+{'-' * (_WIDTH + 2)}+\n"
    return f"{edge}{rows}{edge}"
