"""Files or the journal to a service without an end: each range is noted before it is sent, and counted once.

After a crash the range that was on its way is read and sent again under the same key. The service knows the key, so it
does not matter whether it had the range already.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from log_aggregator_client import Delivery
from log_aggregator_reader import Follower, Journal, Limits, Piece
from log_aggregator_service.sending.form import Form
from log_aggregator_service.sending.place import PlaceFile
from log_aggregator_service.sending.tally import Tally

PAUSE = 0.2
"""Seconds between two looks at files that had nothing new."""

JOURNAL = "journald"


class Range(NamedTuple):
    """Logs that are sent under one key. `name` is whose `place` is remembered; `again` finds the range again."""

    key: str
    logs: list[bytes]
    places: list[str]
    name: str
    place: bytes
    again: dict[str, Any]


class Followed(Protocol):
    """Where ranges come from."""

    def read(self) -> Range | None:
        """The next range; `None` when there is none now."""

    def read_again(self, again: dict[str, Any]) -> Range | None:
        """A range that was noted; `None` when what it was read from is gone."""

    def close(self) -> None:
        """Release what it holds."""


class Files:
    """Ranges of files."""

    def __init__(
        self, patterns: list[str], place: PlaceFile, form: Form, size: int, say: Callable[[str], None]
    ) -> None:
        self._form = form
        self._arguments: Any = {"limits": Limits(records=size), "on_problem": say}
        self._patterns, self._place = patterns, place
        self._follower = Follower(patterns, place.of, is_joined=form.is_joined, **self._arguments)

    def read(self) -> Range | None:
        """The next range of one of the files."""
        piece = self._follower.read()
        return None if piece is None else self._range(piece, self._form)

    def read_again(self, again: dict[str, Any]) -> Range | None:
        """The same bytes in the same form, whatever the options are now."""
        form = Form(**again["form"])
        once = Follower([], self._place.of, is_joined=form.is_joined, **self._arguments)
        try:
            piece = once.read_again(again["path"], again["file"], again["start"], again["end"])
            return None if piece is None else self._range(piece, form)
        finally:
            once.close()

    def close(self) -> None:
        """Close the files."""
        self._follower.close()

    def _range(self, piece: Piece, form: Form) -> Range:
        logs = [form.log(record) for record in piece.records]
        places = [f"{piece.path} byte {record.start}" for record in piece.records]
        again = {"path": piece.path, "file": piece.file, "start": piece.start, "end": piece.end}
        key = f"{piece.file}:{piece.start}-{piece.end}"
        return Range(key, logs, places, piece.path, piece.place, {**again, "form": form._asdict()})


class JournalEntries:
    """Ranges of the systemd journal."""

    def __init__(self, place: PlaceFile, form: Form, size: int, *, follow: bool) -> None:
        self._form, self._size = form, size
        self._cursor = (place.of(JOURNAL) or b"").decode()
        self._follow = follow
        self._journal: Journal | None = None

    @property
    def is_over(self) -> bool:
        """Whether the end was reached, which only happens when it is not followed."""
        return self._journal is not None and self._journal.is_over and self._journal.is_empty

    def read(self) -> Range | None:
        """The next range of the journal. Raises `OSError` when `journalctl` fails."""
        if self._journal is None:
            self._journal = Journal(self._cursor, follow=self._follow)
        entries = self._journal.read(self._size, PAUSE)
        if not entries:
            return None
        before, self._cursor = self._cursor, entries[-1].cursor
        return self._range(before, self._cursor, [entry.log for entry in entries], self._form)

    def read_again(self, again: dict[str, Any]) -> Range | None:
        """The entries between two cursors."""
        journal = Journal(again["after"])
        logs: list[dict[str, Any]] = []
        try:
            while not (journal.is_over and journal.is_empty):
                for entry in journal.read(self._size, PAUSE):
                    logs.append(entry.log)
                    if entry.cursor == again["until"]:
                        return self._range(again["after"], again["until"], logs, Form(**again["form"]))
        finally:
            journal.close()
        return None

    def close(self) -> None:
        """End `journalctl`."""
        if self._journal is not None:
            self._journal.close()

    def _range(self, after: str, until: str, logs: list[dict[str, Any]], form: Form) -> Range:
        found = [
            msgspec.json.encode({**({"source": form.source} if form.source else {}), **log}) for log in logs if log
        ]
        again = {"after": after, "until": until, "form": form._asdict()}
        key = f"journald:{_short(after)}-{_short(until)}"
        return Range(
            key, found, [f"entry {number}" for number in range(1, len(found) + 1)], JOURNAL, until.encode(), again
        )


def send_range(target: Delivery, place: PlaceFile, one: Range, tally: Tally) -> None:
    """Note a range, send it, and count what became of it. Raises `DeliveryError`."""
    place.note(one.name, one.place, one.again)
    if one.logs:
        tally.add(target.send(one.logs, one.key), one.places)


def finish_pending(
    target: Delivery, place: PlaceFile, followed: Followed, tally: Tally, say: Callable[[str], None]
) -> None:
    """Send the range that was on its way when the last run ended, if there is one. Raises `DeliveryError`."""
    if place.pending is None:
        return
    one = followed.read_again(place.pending)
    if one is None:
        say("what was on its way when the last run ended is gone, and may be missing")
    elif one.logs:
        tally.add(target.send(one.logs, one.key), one.places)
    place.done()


def follow(
    target: Delivery, place: PlaceFile, followed: Followed, tally: Tally, shown: Callable[[], None], rate: float | None
) -> None:
    """Send what comes, until interrupted, or until a journal that is not followed ends. Raises `DeliveryError`."""
    while not getattr(followed, "is_over", False):
        one = followed.read()
        if one is None:
            place.done()
            time.sleep(PAUSE)
            continue
        if rate is not None:
            time.sleep(max(0.0, tally.sent / rate - tally.seconds))
        send_range(target, place, one, tally)
        shown()
    place.done()


def _short(cursor: str) -> str:
    """A cursor as part of a key, which has at most 255 characters."""
    import hashlib  # noqa: PLC0415  only the journal needs it

    return hashlib.blake2b(cursor.encode(), digest_size=12).hexdigest()
