"""A disk that forgets at a power cut what was not synced: all of it, or any of its sectors."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.disk_trace import Event

SECTOR = 512


class Disk:
    """The files as they are durable, and what was done to them since.

    Names are durable in the order in which they were made, with the next sync of any file, as on a file system with a
    journal. A write is in sectors, of which each may be there or not.
    """

    def __init__(self) -> None:
        self._files: dict[str, bytearray] = {}
        self._waiting: list[tuple[int, Event]] = []

    def take(self, number: int, event: Event) -> None:
        """The next event of a trace."""
        if event.kind != "sync":
            self._waiting.append((number, event))
            return
        left = []
        for at, one in self._waiting:
            is_name = one.kind in {"create", "remove", "rename"}
            if at < event.since and (is_name or one.path == event.path):
                _apply(self._files, one)
            else:
                left.append((at, one))
        self._waiting = left

    def cut(self, directory: Path, origin: Path, chance: random.Random) -> None:
        """Write what a power cut leaves into a directory; `origin` is the one that the trace speaks of."""
        files = {path: bytearray(content) for path, content in self._files.items()}
        share = chance.choice((0.0, 0.0, 0.5, 0.9))
        names = chance.randrange(len(self._waiting) + 1) if share else 0
        for index, (_, event) in enumerate(self._waiting):
            if event.kind in {"create", "remove", "rename"}:
                if index < names:
                    _apply(files, event)
            elif event.path in files and chance.random() < share:
                for sector in _sectors(event):
                    if chance.random() < share:
                        _apply(files, sector)
        for path, content in files.items():
            if not path.endswith(("-shm", "/lock", "service.json")):
                target = directory / Path(path).relative_to(origin)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def _sectors(event: Event) -> list[Event]:
    if event.kind != "write":
        return [event]
    found, at = [], 0
    while at < len(event.data):
        end = at + SECTOR - (event.offset + at) % SECTOR
        found.append(event._replace(data=event.data[at:end], offset=event.offset + at))
        at = end
    return found


def _apply(files: dict[str, bytearray], event: Event) -> None:
    if event.kind == "create":
        files.setdefault(event.path, bytearray())
    elif event.kind == "remove":
        files.pop(event.path, None)
    elif event.kind == "rename":
        if event.path in files:
            files[event.data.decode()] = files.pop(event.path)
    elif (content := files.get(event.path)) is not None:
        if event.kind == "truncate":
            del content[event.offset :]
            content.extend(bytes(event.offset - len(content)))
        else:
            content.extend(bytes(max(0, event.offset - len(content))))
            content[event.offset : event.offset + len(event.data)] = event.data
