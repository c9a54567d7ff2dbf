"""Checks of a receiver that goes on where it stopped: restarts, kills, positions that cannot be read, rotation."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from log_aggregator_dev.receiver_suite import Fault, OpenReceiver, ReceiverSuite, Run, dies, difference, message_of

HERE = [b"first log %d" % number for number in range(10)]
PAUSED = [b"log of a pause %d" % number for number in range(10)]
MANY = [b"log %d of a file that is longer than the one before" % number for number in range(50)]


class PlaceChecks(ReceiverSuite):
    """Part of `ReceiverContract`."""

    def test_a_restart_goes_on(self, tmp_path: Path) -> None:
        """What came while the service was down is taken afterwards, and nothing is taken twice."""

        async def scenario() -> None:
            self.needs_place()
            found = await self._run_with(tmp_path, HERE, len(HERE))
            await self.send(self._down(tmp_path), PAUSED)
            found += await self._run_with(tmp_path, [], len(PAUSED))
            assert found == message_of(HERE + PAUSED), difference(found, message_of(HERE + PAUSED))

        self.check(tmp_path, scenario)

    def test_killed_before_the_commit_it_loses_nothing(self, tmp_path: Path) -> None:
        """Its place is not moved before `service.ingest` has returned."""
        self._killed(tmp_path, dies(after_commit=False), 0)

    def test_killed_after_the_commit_it_takes_nothing_twice(self, tmp_path: Path) -> None:
        """Its place is committed with the records: `service.ingest(records, position=…)`."""
        self._killed(tmp_path, dies(after_commit=True), len(HERE))

    def test_a_position_that_cannot_be_read_ends_nothing(self, tmp_path: Path) -> None:
        """Where `service.position` is empty or holds other bytes, logs are taken all the same."""

        async def scenario() -> None:
            self.needs_place()
            for number, position in enumerate((b"", b"\xff\x00 no position", b"[1]")):
                directory = tmp_path / str(number)
                directory.mkdir()
                await self.send(self._down(directory), HERE)
                async with self.running(directory, position=position) as run:
                    await self.send(run.place, PAUSED)
                    while not message_of(PAUSED) <= run.counts():
                        await run.until(run.counts().total() + 1)

        self.check(tmp_path, scenario)

    def test_rotation_loses_nothing(self, tmp_path: Path) -> None:
        """A new file that is longer than the one before it: its beginning is read, and nothing is torn."""

        async def scenario() -> None:
            async with self.running(tmp_path) as run:
                await self.send(run.place, HERE)
                await run.until(len(HERE))
                await self.rotate(run.place)
                await self.send(run.place, MANY)
                await run.until(len(HERE + MANY))
            found = run.counts()
            assert found == message_of(HERE + MANY), f"after a rotation: {difference(found, message_of(HERE + MANY))}"

        self.check(tmp_path, scenario)

    def test_rotation_during_a_pause_loses_nothing(self, tmp_path: Path) -> None:
        """The same while the service is down: the file with the old name is another one."""

        async def scenario() -> None:
            found = await self._run_with(tmp_path, HERE, len(HERE))
            down = self._down(tmp_path)
            await self.rotate(down)
            await self.send(down, MANY)
            found += await self._run_with(tmp_path, [], len(MANY))
            assert found == message_of(HERE + MANY), (
                f"after a rotation while it was down: {difference(found, message_of(HERE + MANY))}"
            )

        self.check(tmp_path, scenario)

    def _killed(self, directory: Path, fault: Fault, committed: int) -> None:
        async def scenario() -> None:
            self.needs_place()
            await self.send(self._down(directory), HERE)
            async with self.running(directory, fault) as run:
                await run.died.wait()
            found = run.counts()
            assert found.total() >= bool(committed), "what was committed before the service died is not counted"
            left = len(HERE) - found.total()
            found += await self._run_with(directory, PAUSED, left + len(PAUSED))
            assert found == message_of(HERE + PAUSED), f"after a kill: {difference(found, message_of(HERE + PAUSED))}"

        self.check(directory, scenario)

    async def _run_with(self, directory: Path, logs: Sequence[bytes], expected: int) -> Counter[str]:
        """Run until so many logs were taken; what was counted, with what came until the drain."""
        async with self.running(directory) as run:
            if logs:
                await self.send(run.place, logs)
            await run.until(expected)
        return run.counts()

    def _down(self, directory: Path) -> OpenReceiver:
        return OpenReceiver(directory)

    async def _sent(self, run: Run, logs: Sequence[bytes]) -> None:
        """Send, and again while the client hears that nothing was taken."""
        while True:
            try:
                return await self.send(run.place, logs)
            except Exception:  # noqa: BLE001  a client may hear of it in any way
                await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def _second(self, directory: Path) -> AsyncIterator[Run]:
        """Another worker: its own journal, and a receiver for the same directory."""
        async with self.running(directory, data="worker-1") as run:
            yield run
