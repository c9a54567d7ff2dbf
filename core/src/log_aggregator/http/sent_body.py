"""The body of a request that a receiver reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from log_aggregator.http.access.auth import KEY
from log_aggregator.http.decoding.document import NotJsonError, read_json
from log_aggregator.http.problem import Problem
from log_aggregator.http.request_limits import RequestLimits
from log_aggregator.model.fields.limits import VALUES_PER_RECORD, TooManyError
from log_aggregator.model.receipt import AutomaticKey
from log_aggregator.model.record import Record


class SentBody:
    """One request whose body is there, decompressed and within the limits.

    `notes` is what `read` leaves for `answer`; `received` (microseconds) is a time for logs without one. `read` sets
    `all_timed` to `False` when a log has neither a time nor an id of its own: the same bytes may then be sent twice
    with good reason, so both are counted. Where a protocol names each request and sends it again under the same
    name, `read` sets `request_id`: it decides instead of the bytes, from whatever address they come.
    """

    __slots__ = ("_limits", "all_timed", "body", "notes", "received", "request", "request_id")

    def __init__(self, request: web.Request, body: bytes, limits: RequestLimits) -> None:
        self.request = request
        self.body = body
        self.notes: list[Any] = []
        self.all_timed = True
        self.request_id = ""
        self.received = time.time_ns() // 1000
        self._limits = limits

    @property
    def sender(self) -> str:
        """What tells API keys apart; empty without one."""
        api_key = self.request.get(KEY)
        return api_key.hash if api_key else ""

    @property
    def repetition(self) -> AutomaticKey:
        """What the same bytes from the same sender to the same path have in common."""
        client = self._limits.quota.client_of(self.request)
        return AutomaticKey(f"{self.sender} {client}", self.request.path_qs, self.body)

    def noted(self, record: Record, *, has_id: bool = False) -> Record:
        """The record, having looked whether it has a time of its own, for records that were made with `received`."""
        if record.timestamp == self.received and not has_id:
            self.all_timed = False
        return record

    def json(self) -> Any:
        """The body as one JSON document. Raises `Problem`: 400 not JSON, 413 more values than a batch may hold."""
        self.check_values()
        try:
            return read_json(self.body)
        except NotJsonError as error:
            raise Problem(400, f"the body is not JSON: {error}") from None

    def lines(self) -> Iterator[bytes]:
        """The lines of the body that are not empty."""
        body, begin = self.body, 0
        while begin < len(body):
            end = body.find(b"\n", begin)
            end = len(body) if end < 0 else end
            line = body[begin:end]
            if line.strip():
                yield line
            begin = end + 1

    def check_values(self) -> None:
        """Refuse a JSON body whose many small values would take far more memory than its bytes. Raises `Problem`."""
        raw, most = self.body, VALUES_PER_RECORD * self._limits.records
        if len(raw) > most and raw.count(b",") + raw.count(b"{") + raw.count(b"[") > most:
            raise Problem(413, f"more than {most} values in one body: send smaller batches")

    def check_count(self, logs: int) -> None:
        """Refuse a body of more logs than a batch may have. Raises `Problem` 413."""
        if logs > self._limits.records:
            raise Problem(413, str(TooManyError(logs, self._limits.records)))
