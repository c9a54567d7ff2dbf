"""GELF by HTTP: one message a request, several as a list, or one a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from log_aggregator import Record
from log_aggregator.http.decoding.document import NotJsonError, read_json
from log_aggregator.http.receiving import SNIFF, HttpProtocol, Problem, SentBody, Taken
from log_aggregator.receivers import BadLogError
from log_aggregator_gelf.records import record_of_object


def read(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of a body. Raises `Problem` 400 when it is not JSON."""
    sent.all_timed = False  # no client sends a message again, and two equal ones are honest
    sent.check_values()
    body = sent.body.strip(b"\0 \t\r\n")
    try:
        document = read_json(body)
        messages = iter(document if isinstance(document, list) else [document])
    except NotJsonError as error:
        if b"\n" not in body:
            raise Problem(400, f"the body is not JSON: {error}") from None
        messages = (_line(line) for line in sent.lines())
    for message in messages:
        yield _record(message)


def _line(line: bytes) -> Any:
    try:
        return read_json(line)
    except NotJsonError as error:
        return error


def _record(message: Any) -> Record | BadLogError:
    if not isinstance(message, dict):
        reason = f"not JSON: {message}" if isinstance(message, NotJsonError) else "a message that is no object"
        return BadLogError(reason)
    try:
        return record_of_object(message)
    except BadLogError as error:
        return error


def _answer(_: SentBody, __: Taken) -> web.Response:
    return web.Response(status=202)


PROTOCOL = HttpProtocol(read, _answer, encoding=lambda _: SNIFF)
"""The content encoding is seen in the body: pygelf says `gzip,deflate`, others say nothing."""
