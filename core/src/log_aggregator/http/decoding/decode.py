"""A body → records, and which of its logs could not be taken."""

from __future__ import annotations

from typing import Any, NamedTuple

from log_aggregator.http.decoding.document import NotJsonError, read_document, read_json
from log_aggregator.http.decoding.lenient import record_from
from log_aggregator.http.decoding.strict import Strict, UnusualError
from log_aggregator.http.problem import Problem
from log_aggregator.model.fields.lenient import BadLogError
from log_aggregator.model.fields.lifting import Lifter
from log_aggregator.model.fields.limits import VALUES_PER_RECORD, Limits, TooManyError
from log_aggregator.model.fields.table import FieldTable
from log_aggregator.model.record import Record

_SPACE = b" \t\r\n"


class Decoded(NamedTuple):
    """The good logs of a body, and (index in the body, reason) of the others.

    `positions` gives each record's index in the body; `None` when all were good.
    """

    records: list[Record]
    rejected: list[tuple[int, str]]
    positions: list[int] | None


class BodyDecoder:
    """Decodes the bodies of ingest calls: strictly first, carefully when that fails."""

    def __init__(self, limits: Limits, table: FieldTable | None = None) -> None:
        """`table` says under which names the fields of a log are looked for beside ours; `None`: the default one."""
        self._limits = limits
        self._lifter = Lifter(table or FieldTable(), own_names_first=True)
        self._strict = Strict(limits, self._lifter)

    def one(self, raw: bytes, now: int) -> Record | None:
        """The record of a body that is one log as a JSON object; `None` for every other body: see `many`.

        `now` (microseconds) is the time of receipt. Raises `Problem` 422 when the log cannot be taken.
        """
        try:
            return self._strict.one(raw, now)
        except UnusualError:
            pass
        self._check_size(raw)
        try:
            log = read_json(raw)
        except NotJsonError:
            return None
        if not isinstance(log, dict) or ("logs" in log and "message" not in log):
            return None
        try:
            return record_from(log, self._limits, now, self._lifter)
        except BadLogError as error:
            raise Problem(422, str(error)) from None

    def many(self, raw: bytes, lines: bool, now: int, *, is_json: bool = True) -> Decoded:
        """A body of several logs: `{"logs": [...]}`, an array, one log, NDJSON, or lines of text, a log each.

        What was announced, NDJSON (`lines`) or JSON (`is_json`), is tried first, and only such bodies may be broken
        JSON. Raises `Problem`: 400 for an empty body or broken JSON, 413 when it holds too much, 422 when it is JSON
        but no batch.
        """
        self._check_size(raw)
        form = "lines" if lines else _form(raw)
        try:
            if form:
                try:
                    return Decoded(self._strict.many(raw, form, now), [], None)
                except UnusualError:
                    pass
            return self._carefully(self._logs(raw, lines, is_json), now)
        except TooManyError as error:
            raise Problem(413, str(error)) from None

    def _logs(self, raw: bytes, lines: bool, is_json: bool) -> list[Any]:
        if not raw.strip(_SPACE):
            if lines:
                return []
            raise Problem(400, 'the body is empty; expected JSON such as {"message": "User 123 logged in"}, or text')
        try:
            logs = _list_in(read_document(raw, self._limits.records, is_json=is_json, is_lines=lines))
        except NotJsonError as error:
            raise Problem(400, f"the body is not JSON: {error}") from None
        if len(logs) > self._limits.records:
            raise TooManyError(len(logs), self._limits.records)
        return logs

    def _carefully(self, logs: list[Any], now: int) -> Decoded:
        records: list[Record] = []
        positions: list[int] = []
        rejected: list[tuple[int, str]] = []
        for index, log in enumerate(logs):
            try:
                if isinstance(log, NotJsonError):
                    raise BadLogError(f"not JSON: {log}")
                records.append(record_from(_as_log(log), self._limits, now, self._lifter))
                positions.append(index)
            except BadLogError as error:
                rejected.append((index, str(error)))
        return Decoded(records, rejected, positions if rejected else None)

    def _check_size(self, raw: bytes) -> None:
        """Refuse a body whose many small values would take far more memory than its bytes."""
        most = VALUES_PER_RECORD * self._limits.records
        if len(raw) > most and raw.count(b",") + raw.count(b"{") + raw.count(b"[") > most:
            raise Problem(413, f"more than {most} values in one body: send smaller batches")


def _form(raw: bytes) -> str:
    start = raw[:64].lstrip(_SPACE)[:16]
    if start.startswith(b"["):
        return "array"
    if start.startswith(b'{"logs"'):
        return "object"
    if start.startswith(b'{"'):
        return "lines"
    return ""


def _list_in(document: Any) -> list[Any]:
    if isinstance(document, dict):
        if "logs" not in document or "message" in document:
            return [document]
        logs = document["logs"]
        if isinstance(logs, list):
            return logs
        raise Problem(422, "logs: expected a list of logs")
    return document if isinstance(document, list) else [document]


def _as_log(value: Any) -> Any:
    """A text that stands where a log is expected is its message."""
    return {"message": value} if isinstance(value, str) else value
