"""One batch to a service and its answer: what was accepted or refused, when to try again. Standard library only."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0


class DeliveryError(Exception):
    """Nothing of the batch was accepted, and going on makes no sense: the text says why."""


class Refusal(NamedTuple):
    """A log that the service did not want: its place in the batch (from 0), and the reason."""

    position: int
    reason: str


class Outcome(NamedTuple):
    """What became of a batch: every log of it is accepted or refused.

    `reasons` names the refused logs; of very many the service names only the first thousand.
    """

    accepted: int
    refused: int = 0
    reasons: tuple[Refusal, ...] = ()


class Delivery:
    """Sends batches to one service, one at a time. A batch that is tried again is counted once.

    `url` is the service's address (`http://` or `https://`); `patience` is how many seconds one
    batch is tried for, `timeout` how many one try may take. `wait` sleeps between two tries; it
    returns `True` when there is no point in waiting longer. `on_wait` is told what is wrong before the first wait
    for an answer. `tls` is for a private CA or a client certificate. Not for use by several threads.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: float = 60.0,
        timeout: float = 30.0,
        api_key: str = "",
        wait: Callable[[float], Any] = time.sleep,
        tls: ssl.SSLContext | None = None,
        on_wait: Callable[[str], Any] = lambda _problem: None,
    ) -> None:
        """Raises `ValueError` when `url` is not an address."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname or not _has_good_port(parts):
            raise ValueError(f"{url!r}: expected an address such as http://127.0.0.1:8004")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._connection = (
            http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        )
        self._path = parts.path.rstrip("/") + "/ingest/batch"
        self._patience = patience
        self._headers = {"Content-Type": "application/x-ndjson"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._wait = wait
        self._on_wait = on_wait
        self.retries = 0

    def send(self, logs: Sequence[bytes], key: str = "") -> Outcome:
        """Send logs, each a JSON object on one line. A batch too large for the service goes in halves.

        `key` is the Idempotency-Key: the same logs under the same key are counted once, also by another process.
        Without one each call has its own. Raises `DeliveryError` when the service cannot be reached, stays overloaded,
        or wants none of this client's logs.
        """
        status, answer = self._until_answered(b"\n".join(logs), key or uuid.uuid4().hex)
        if status == 413 and len(logs) > 1:
            half = len(logs) // 2
            first = self.send(logs[:half], key and f"{key}/1")
            second = self.send(logs[half:], key and f"{key}/2")
            moved = tuple(Refusal(half + position, reason) for position, reason in second.reasons)
            return Outcome(first.accepted + second.accepted, first.refused + second.refused, first.reasons + moved)
        if status == 202:
            accepted = answer.get("accepted")
            if not isinstance(accepted, int):
                raise DeliveryError(f"{self.url}: 202 without the count of accepted logs; is this a log aggregator?")
            return Outcome(accepted, len(logs) - accepted, _reasons(answer))
        if status in (400, 413, 422):
            return Outcome(0, len(logs), _reasons(answer) or (Refusal(0, _reason(status, answer)),))
        raise DeliveryError(f"{self.url}: {_reason(status, answer)}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _until_answered(self, body: bytes, key: str) -> tuple[int, dict[str, Any]]:
        headers = {**self._headers, "Idempotency-Key": key}
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            status, answer, retry_after, problem = self._try(body, headers)
            if status and status not in _TRY_AGAIN:
                return status, answer
            wanted = retry_after if retry_after is not None else pause * random.uniform(0.5, 1.0)  # noqa: S311  jitter
            if time.monotonic() + wanted > deadline:
                raise DeliveryError(f"{self.url}: {problem}; gave up after {self._patience:g} s")
            self.retries += 1
            if pause == _FIRST_PAUSE:
                self._on_wait(problem)
            if self._wait(wanted):
                raise DeliveryError(f"{self.url}: {problem}; stopped before it was tried again")
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _try(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any], float | None, str]:
        """One try: status (0 without an answer), the answer, Retry-After in seconds, and what went wrong."""
        try:
            self._connection.request("POST", self._path, body, headers)
            response = self._connection.getresponse()
            answer = _object(response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return 0, {}, None, f"no answer ({type(error).__name__}: {error})"
        return response.status, answer, _seconds(response.headers.get("Retry-After")), _reason(response.status, answer)


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None


def _reasons(answer: dict[str, Any]) -> tuple[Refusal, ...]:
    return tuple(Refusal(int(entry["index"]), str(entry["error"])) for entry in answer.get("rejected") or ())


def _reason(status: int, answer: dict[str, Any]) -> str:
    text = answer.get("detail") or answer.get("title") or http.client.responses.get(status, "unknown status")
    return f"{status} {text}"
