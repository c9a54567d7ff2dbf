"""Receivers without a fault: what the broken ones are made from."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from log_aggregator import Record, Reject, Service, hookimpl
from log_aggregator.receivers import BadLogError, Connection, ingest_when_possible

Place = tuple[int, int]
"""The inode of a file, and the bytes of it that were read."""


class GoodReader:
    """Reads the lines of `app.log`, also of files that it was rotated to."""

    instances = "node"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "app.log"

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        async def read() -> None:
            await self.read(service)

        service.run("read", read)
        yield

    async def read(self, service: Service) -> None:
        place = self.place_of(service.position("file"))
        while True:
            lines, place = self.next_lines(place)
            if lines:
                await self.take(service, self.records(lines), place)
            else:
                await asyncio.sleep(0.005)

    def place_of(self, position: bytes | None) -> Place:
        try:
            inode, offset = json.loads(position or b"[0, 0]")
        except (TypeError, ValueError):
            return 0, 0
        return inode, offset

    def next_lines(self, place: Place) -> tuple[list[bytes], Place]:
        files = {file.stat().st_ino: file for file in self.path.parent.glob("app.log*")}
        inode, offset = place
        if inode in files:
            with files[inode].open("rb") as file:
                file.seek(offset)
                whole, newline, _ = file.read().rpartition(b"\n")
            if newline or files[inode] == self.path:
                return whole.split(b"\n") if newline else [], (inode, offset + len(whole) + len(newline))
        return [], (self.path.stat().st_ino, 0) if self.path.exists() else place

    def records(self, lines: list[bytes]) -> list[Record]:
        found = []
        for line in lines:
            with contextlib.suppress(BadLogError):
                found.append(Record.of(line))
        return found

    async def take(self, service: Service, records: list[Record], place: Place) -> None:
        position = ("file", json.dumps(place).encode())
        try:
            await ingest_when_possible(service, records, position=position)
        except Reject:
            await ingest_when_possible(service, [], position=position)


class GoodListener:
    """Takes a line by TCP as a log."""

    def __init__(self, _directory: Path) -> None:
        pass

    @hookimpl
    @contextlib.asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        async def serve(connection: Connection) -> None:
            while frames := await connection.read_frames():
                await ingest_when_possible(service, [Record.of(frame.data) for frame in frames])

        service.listen_tcp("127.0.0.1:0", serve)
        yield
