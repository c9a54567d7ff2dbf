"""A `logging.Handler` for Python programs: hands logs to one thread that sends them. Never blocks, never grows."""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from typing import Any

from log_aggregator_client.delivery import Delivery, DeliveryError

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TRACEBACK = "Traceback (most recent call last):"
_PLAIN = (str, int, float, bool, type(None))


class LogAggregatorHandler(logging.Handler):
    """Sends what a program logs to a service, in batches, from a thread of its own.

    `url` is the service's address, `source` the name of the program. At most `capacity` logs wait; of
    more, the newest are dropped and counted in `dropped`. `batch` logs go together, or what there is
    after `interval` seconds. When the program ends, it waits at most `flush_timeout` seconds for what
    is left. The message is the plain one, followed by the whole traceback of `exc_info` and by `stack_info`, as
    `logging` writes them; a formatter that you set replaces it. `extra={…}` becomes metadata as it is, and so do the
    names of the logger, the module and the thread, and the class of an exception.

    While the service is away, the waiting logs are tried again until it is back. Counters: `sent` (the
    service has them), `refused` (it did not want them), `dropped` (they never got there).
    """

    def __init__(
        self,
        url: str,
        source: str,
        *,
        level: int | str = logging.NOTSET,
        capacity: int = 10_000,
        batch: int = 500,
        interval: float = 1.0,
        flush_timeout: float = 5.0,
        api_key: str = "",
    ) -> None:
        """Raises `ValueError` when `url` is not an address. Connects when the first log comes."""
        super().__init__(level)
        self._delivery = Delivery(url, patience=float("inf"), timeout=10.0, api_key=api_key, wait=self._pause)
        self._source = source
        self._capacity = capacity
        self._batch = batch
        self._interval = interval
        self._flush_timeout = flush_timeout
        self.sent = self.refused = self.dropped = 0
        self._deadline = float("inf")
        self._complained = False
        self._begin()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a log. What it holds is written down now: later changes to its arguments do not matter."""
        try:
            if self._process != os.getpid():
                self._begin()
            line = _encoded(self._log(record))
            self._ensure_thread()
            self._waiting.put_nowait(line)
        except queue.Full:
            self.dropped += 1
        except Exception:  # noqa: BLE001  logging must not break the program: this is how the standard handlers do it
            self.handleError(record)

    def flush(self) -> None:
        """Wait until the service has answered for all logs so far, at most `flush_timeout` seconds."""
        self._hurry.set()
        deadline = time.monotonic() + self._flush_timeout
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks and (left := deadline - time.monotonic()) > 0:
                self._waiting.all_tasks_done.wait(left)

    def close(self) -> None:
        """Send what is left within `flush_timeout` seconds; count the rest as dropped. Called when Python ends."""
        super().close()
        thread = self._thread
        if thread is None or self._process != os.getpid() or self._closing.is_set():
            return
        self._deadline = time.monotonic() + self._flush_timeout
        self._closing.set()
        self._hurry.set()
        thread.join(self._flush_timeout)
        if left := self._waiting.unfinished_tasks:
            self.dropped += left
            self._complain(_unsent(left))

    def _begin(self) -> None:
        """A new queue: at the start, and in the child after a fork, which has no thread and none of the logs."""
        self._process = os.getpid()
        self._waiting: queue.Queue[bytes] = queue.Queue(self._capacity)
        self._hurry = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._told = self.dropped
        self._delivery.close()

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="log-aggregator-handler", daemon=True)
            self._thread.start()

    def _log(self, record: logging.LogRecord) -> dict[str, Any]:
        metadata = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if isinstance(metadata.get("extra"), dict):  # loguru puts what was bound into one attribute
            metadata |= metadata.pop("extra")
        metadata |= {"logger": record.name, "module": record.module, "thread": record.threadName}
        if record.exc_info and record.exc_info[0] is not None:
            metadata["exception"] = record.exc_info[0].__name__
        return {
            "message": self.format(record) if _is_wanted(self.formatter) else _message(record),
            "level": record.levelname,
            "source": self._source,
            "timestamp": record.created,
            "metadata": metadata,
        }

    def _run(self) -> None:
        while not (self._closing.is_set() and self._waiting.empty()):
            batch = self._next_batch()
            if batch:
                self._send(batch)
                for _ in batch:
                    self._waiting.task_done()
        self._delivery.close()

    def _next_batch(self) -> list[bytes]:
        """Wait for a full batch, or for `interval` seconds, or until somebody is in a hurry."""
        if self._waiting.qsize() < self._batch:
            self._hurry.wait(self._interval)
        hurried = self._hurry.is_set()
        self._hurry.clear()
        batch: list[bytes] = []
        while len(batch) < self._batch:
            try:
                batch.append(self._waiting.get_nowait())
            except queue.Empty:
                return batch
        if hurried:
            self._hurry.set()
        return batch

    def _send(self, batch: list[bytes]) -> None:
        notes = self._notes()
        try:
            outcome = self._delivery.send(batch + notes)
        except DeliveryError as error:
            self.dropped += len(batch)
            self._complain(f"{_unsent(len(batch))}: {error}" if self._closing.is_set() else str(error))
            return
        self.sent += outcome.accepted - len(notes)
        self.refused += outcome.refused
        if outcome.reasons:
            self._complain(f"the service refused logs: {outcome.reasons[0].reason}")

    def _notes(self) -> list[bytes]:
        """A gap in the logs should be seen where the logs are read."""
        lost, self._told = self.dropped - self._told, self.dropped
        if not lost:
            return []
        message = f"{lost} logs dropped by the log handler before they were sent"
        return [json.dumps({"message": message, "level": "WARN", "source": self._source}).encode()]

    def _pause(self, seconds: float) -> bool:
        """Sleep between two tries; `True` when the program ends and there is no time left."""
        if not self._closing.wait(seconds):
            return False
        left = self._deadline - time.monotonic()
        time.sleep(max(0.0, min(seconds, left)))
        return left <= 0

    def _complain(self, problem: str) -> None:
        """Say once on standard error what is wrong: through logging it would come back here."""
        if not self._complained and logging.raiseExceptions:
            self._complained = True
            sys.stderr.write(f"log-aggregator handler: {problem}\n")


def _is_wanted(formatter: logging.Formatter | None) -> bool:
    """Whether somebody chose a formatter: `basicConfig` gives its default to every handler that has none."""
    is_default = type(formatter) is logging.Formatter and getattr(formatter, "_fmt", "") == logging.BASIC_FORMAT
    return formatter is not None and not is_default


def _message(record: logging.LogRecord) -> str:
    """The message with the traceback and the stack, one below the other."""
    parts = [record.getMessage()]
    if record.exc_info and record.exc_info[0] is not None:
        if _TRACEBACK not in parts[0]:  # loguru has formatted it already
            parts.append("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
    elif record.exc_text:
        parts.append(record.exc_text)
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)


def _encoded(log: dict[str, Any]) -> bytes:
    """The log as JSON. What JSON has no form for becomes a text, and never an error."""
    try:
        text = json.dumps(log, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # keys that are no texts, or an object that contains itself
        plain = {str(key): value if isinstance(value, _PLAIN) else str(value) for key, value in log["metadata"].items()}
        text = json.dumps({**log, "metadata": plain}, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace")


def _unsent(logs: int) -> str:
    return f"{logs} {'log was' if logs == 1 else 'logs were'} not sent before the program ended"
