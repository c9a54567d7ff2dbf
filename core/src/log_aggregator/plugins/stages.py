"""Calling the plugins of a stage so that one that fails costs nobody else anything."""

from __future__ import annotations

import logging
import time
from typing import Any

from log_aggregator.errors import Reject
from log_aggregator.model.batch import Batch, examples_of, fault_in_parts, forget_old_shapes, messages_of
from log_aggregator.model.group import Alike
from log_aggregator.model.record import Record
from log_aggregator.model.validation import UNENCODABLE, fault_of, repair
from log_aggregator.plugins.isolation import CircuitBreaker, StallWatchdog
from log_aggregator.plugins.isolation.wire import IsolationError
from log_aggregator.plugins.registry import Plugin, Registry

SUSPICIOUS_CALLS = 200
"""Calls after a garbled record during which every record is looked at after every plugin, to find whose it was."""

INSPECTED = 32
"""Of so many calls of a plugin, one is followed by a thorough look at three records."""

log = logging.getLogger(__name__)


class Stages:
    """The plugins of `on_ingest`, `normalize` and `enrich`, called in the file's order."""

    def __init__(self, registry: Registry) -> None:
        self.circuits = {plugin.name: CircuitBreaker(plugin.name) for plugin in registry.plugins}
        self.watch = StallWatchdog({}, {})
        self._ingest = registry.with_hook("on_ingest")
        self._after = [(plugin, hook) for hook in ("normalize", "enrich") for plugin in registry.with_hook(hook)]
        self._suspicious = 0
        self._turn = 0
        self.has_isolated = any(plugin.entry.isolated for plugin, _ in self._after)

    def guard(self, batch: Batch) -> tuple[Batch, list[tuple[object, str]]]:
        """Run `on_ingest`: what is left of the batch, or the batch itself, and the refused records with reasons.

        Raises `Reject` when a plugin refuses the batch.
        """
        refused: list[tuple[object, str]] = []
        for plugin in self._ingest:
            batch = self._guard_with(plugin, batch, refused)
        return batch, refused

    def process(self, batch: Batch) -> None:
        """Run every `normalize`, then every `enrich`, over one batch. Isolated stages are not among them."""
        for plugin, hook in self._after:
            self._call(plugin, hook, batch)

    async def process_with_isolated(self, batch: Batch) -> None:
        """Like `process`, for a pipeline in which some stage has a process of its own."""
        for plugin, hook in self._after:
            if plugin.entry.isolated:
                await self._call_isolated(plugin, hook, batch.records())
            else:
                self._call(plugin, hook, batch)

    def _guard_with(self, plugin: Plugin, batch: Batch, refused: list[tuple[object, str]]) -> Batch:
        while batch.size:
            messages = messages_of(batch)
            try:
                result = self._call(plugin, "on_ingest", batch)
            except Reject as verdict:
                forget_old_shapes(batch, messages)
                if verdict.record is None:
                    raise
                left = [record for record in batch.records() if record is not verdict.record]
                if len(left) == batch.size:
                    raise Reject(verdict.reason) from None
                refused.append((verdict.record, verdict.reason))
                batch = Batch(left)
            else:
                if result is not None:
                    batch = Batch(list(result))
                forget_old_shapes(batch, messages)
                return batch
        return batch

    def _call(self, plugin: Plugin, hook: str, batch: Batch) -> Any:
        circuit = self.circuits[plugin.name]
        if circuit.in_a_row and circuit.is_open:
            return None
        given = self._given(plugin, hook, batch)
        self.watch.current = plugin.name
        started = time.perf_counter()
        try:
            result = plugin.hooks[hook](**given)
        except Reject:
            circuit.succeeded(time.perf_counter() - started)
            if hook == "on_ingest":
                raise
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything; the batch goes on
            circuit.failed(time.perf_counter() - started, f"{hook}: {type(error).__name__}")
            _mark(plugin, hook, batch.records(), error)
        else:
            seconds = time.perf_counter() - started
            looks = result is not None or self._looks(circuit)
            fault = fault_in_parts(batch, thorough=looks)
            if looks and fault:
                self._suspicious = SUSPICIOUS_CALLS
            elif looks:
                fault = self._fault_in(hook, result, batch)
            if not fault:
                circuit.succeeded(seconds)
                return result
            circuit.failed(seconds, f"{hook}: {fault}")
        finally:
            self.watch.current = None
        return None

    def _given(self, plugin: Plugin, hook: str, batch: Batch) -> dict[str, Any]:
        if hook not in plugin.batched:
            return {"records": batch.records()}
        self.taken_together(batch)
        return {"batch": batch}

    async def _call_isolated(self, plugin: Plugin, hook: str, records: list[Record]) -> None:
        circuit = self.circuits[plugin.name]
        if circuit.is_open or not records:
            return
        started = time.perf_counter()
        try:
            await plugin.hooks[hook](records=records)
        except Exception as error:  # noqa: BLE001  whatever became of the process, the batch goes on
            circuit.calls += 1
            circuit.wrong(
                f"{hook}: {error}" if isinstance(error, IsolationError) else f"{hook}: {type(error).__name__}"
            )
            _mark(plugin, hook, records, error)
        else:
            circuit.calls += 1
            circuit.seconds += time.perf_counter() - started
            circuit.recovered()

    def _looks(self, circuit: CircuitBreaker) -> bool:
        """Whether to look at what a call left: now and then, and always while there is a suspicion."""
        return self._suspicious > 0 or circuit.calls % INSPECTED == 0

    def _fault_in(self, hook: str, result: Any, batch: Batch) -> str:
        """What is wrong with what a plugin left, or an empty text. Wrong records are repaired.

        Looks at three records, and at all of them while there is a suspicion.
        """
        if hook == "on_ingest" and result is not None:
            if not isinstance(result, list) or not all(isinstance(record, Record) for record in result):
                return "returned neither a list of records nor None"
            batch = Batch(result)
        if self._suspicious:
            self._suspicious -= 1
            looked_at = batch.records()
        else:
            self._turn += 1
            looked_at = examples_of(batch, self._turn)
        if not any(map(fault_of, looked_at)):
            return ""
        self._suspicious = SUSPICIOUS_CALLS
        return f"left records with a wrong {_repaired(batch.records())}"

    def taken_together(self, batch: Batch) -> list[Alike]:
        """The records of a batch taken together where they are alike; repaired first when they cannot be."""
        try:
            return batch.alike()
        except UNENCODABLE:
            self.make_sound(batch.records())
            return batch.alike()

    def make_sound(self, records: list[Record]) -> None:
        """Repair what a plugin garbled, and look closely for a while at what each plugin leaves."""
        self.suspect(_repaired(records))

    def suspect(self, fields: str) -> None:
        """Look closely for a while at what each plugin leaves: one of them garbled these fields."""
        self._suspicious = SUSPICIOUS_CALLS
        log.warning("a plugin garbled records", extra={"fields": fields})


def _repaired(records: list[Record]) -> str:
    """Repair records; the names of the fields that were wrong."""
    return ", ".join(sorted({fault for record in records if (fault := repair(record))}))


def _mark(plugin: Plugin, hook: str, records: list[Record], error: BaseException) -> None:
    note = (f"{plugin.name}.{hook}: {type(error).__name__}",)
    for record in records:
        record.errors += note
