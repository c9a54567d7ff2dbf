"""One request to a running service, and what went wrong in words."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

from log_aggregator.config.client_tls import client_context

TIMEOUT = 20.0
"""Seconds for one answer; the service itself gives its store 10."""

SILENCE = 40.0
"""Seconds without a sign of life of a stream; the service sends one every 15."""

_KEYS = {401, 403}


class AskingError(Exception):
    """The service did not answer as asked; the text says what to do."""


class Asked:
    """The service at an address."""

    def __init__(self, url: str) -> None:
        self.url = (url if "://" in url else f"http://{url}").rstrip("/")

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """The JSON object at a path; parameters that are `None` or empty are left out. Raises `AskingError`."""
        sent = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return self._ask("GET", f"{path}?{urlencode(sent)}" if sent else path, None)

    def text(self, path: str, **query: object) -> str:
        """The text at a path, as `get`. Raises `AskingError`."""
        sent = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return self._answer("GET", f"{path}?{urlencode(sent)}", None).decode("utf-8", "replace")

    def events(self, path: str, **query: object) -> Iterator[dict[str, Any]]:
        """The events of a stream as they come; an empty one at its begin and for each sign of life.

        Ends with the stream. Raises `AskingError` where it cannot be opened, or nothing comes for `SILENCE` seconds.
        """
        sent = {name: str(value) for name, value in query.items() if value not in (None, "")}
        with self._opened("GET", f"{path}?{urlencode(sent)}", None, SILENCE) as answer, _in_words():
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
                elif line.startswith(b":"):
                    yield {}

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that answers; fields that are `None` are left out. Raises `AskingError`."""
        sent = {name: value for name, value in (body or {}).items() if value is not None}
        return self._ask(method, path, json.dumps(sent).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        text = self._answer(method, path, body)
        try:
            document = json.loads(text) if text else {}
        except ValueError:
            raise AskingError("the answer is not that of a log aggregator") from None
        if not isinstance(document, dict):
            raise AskingError("the answer is not that of a log aggregator")
        return document

    def _answer(self, method: str, path: str, body: bytes | None) -> bytes:
        with self._opened(method, path, body, TIMEOUT) as answer, _in_words():
            content: bytes = answer.read()
            return content

    def _opened(self, method: str, path: str, body: bytes | None, timeout: float) -> Any:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key := os.environ.get("LOG_AGGREGATOR_API_KEY"):
            headers["Authorization"] = f"Bearer {key}"
        with _in_words():
            request = urllib.request.Request(self.url + path, body, headers, method=method)  # noqa: S310  an address that the user typed
            return urllib.request.urlopen(request, timeout=timeout, context=client_context(os.environ))  # noqa: S310  likewise


@contextmanager
def _in_words() -> Iterator[None]:
    """Say as an `AskingError` what went wrong on the way."""
    try:
        yield
    except urllib.error.HTTPError as error:
        raise AskingError(_refusal(error)) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise AskingError(f"{getattr(reason, 'strerror', None) or reason}; is the service running there?") from None


def asking(name: str, args: Namespace, work: Callable[[Asked], int]) -> int:
    """Run a command's `work`; 1 with one clear line when the service does not answer as asked."""
    asked = Asked(args.url)
    try:
        return work(asked)
    except AskingError as error:
        sys.stderr.write(f"log-aggregator {name}: {asked.url}: {error}\n")
        return 1


def _refusal(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            detail = json.load(error)["detail"]
        except (OSError, ValueError, KeyError, TypeError):
            detail = f"{error.reason}; is this a log aggregator?"
    return f"{error.code} {detail}{'; set LOG_AGGREGATOR_API_KEY' if error.code in _KEYS else ''}"
