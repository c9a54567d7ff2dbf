"""Asks a service for a sign of life while it works: how long does it leave everybody without an answer?"""

from __future__ import annotations

import http.client
import threading
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

INTERVAL = 0.1
"""Seconds between two questions: they cost the service a hundredth of its time at most."""

DEADLINE = 60.0


class Watcher:
    """Asks `GET /health` in a thread until the block ends; `longest` is the slowest answer in seconds."""

    def __init__(self, url: str) -> None:
        self.longest = 0.0
        self._address = urlsplit(url)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="watcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        assert self._address.hostname is not None
        connection = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=DEADLINE)
        while not self._stop.wait(INTERVAL):
            began = time.monotonic()
            try:
                connection.request("GET", "/health")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()
            self.longest = max(self.longest, time.monotonic() - began)
        connection.close()
