"""Calls the stages in the file's order, and does what each plugin's `on_error` says when one fails."""

from __future__ import annotations

import time

from log_aggregator.errors import LogAggregatorError, OverloadedError, Reject, RetryableError
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.outlines import Outlines
from log_aggregator.plugins.isolation import CircuitBreaker, StallWatchdog
from log_aggregator.plugins.isolation.inspector import Inspector
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.plugins.refusals import Refusals
from log_aggregator.plugins.registry import Plugin, Registry

RETRY_AFTER = 1.0
"""Seconds after which a stage that cannot run is tried again, unless it says when."""


class StageUnavailableError(LogAggregatorError):
    """A stage with `on_error = "wait"` cannot run now: the batch waits. `retry_after` is in seconds."""

    def __init__(self, plugin: str, retry_after: float) -> None:
        super().__init__(f"{plugin} cannot run now")
        self.retry_after = retry_after


class Stages:
    """The plugins of `on_ingest`, `normalize` and `enrich`."""

    def __init__(self, registry: Registry) -> None:
        self.circuits = {
            plugin.name: CircuitBreaker(plugin.name, opens=plugin.on_error == "continue") for plugin in registry.plugins
        }
        self.watch = StallWatchdog({}, {})
        self.inspector = Inspector()
        self.refusals = Refusals()
        self._outlines = Outlines()
        self._ingest = registry.with_hook("on_ingest")
        self._of_aggregates = [one for one in self._ingest if getattr(one.instance, "on_aggregates", True)]
        self._after = [(plugin, hook) for hook in ("normalize", "enrich") for plugin in registry.with_hook(hook)]
        self.has_isolated = any(plugin.entry.isolated for plugin, _ in self._after)

    def guard(self, batch: WorkingBatch) -> tuple[WorkingBatch, list[tuple[object, str]]]:
        """Run `on_ingest`: what is kept of the batch, or the batch itself, and the rejected records with reasons.

        Raises `Reject` when a plugin refuses the request, `OverloadedError` when a guard cannot run.
        """
        return self._guarded(self._ingest, batch)

    def guard_aggregates(self, batch: WorkingBatch) -> tuple[WorkingBatch, list[tuple[object, str]]]:
        """As `guard`, of records that hold the texts of aggregates: by the plugins that look at those."""
        return self._guarded(self._of_aggregates, batch)

    def _guarded(self, plugins: list[Plugin], batch: WorkingBatch) -> tuple[WorkingBatch, list[tuple[object, str]]]:
        rejected: list[tuple[object, str]] = []
        for plugin in plugins:
            if not batch.size:
                break
            try:
                self._run(plugin, "on_ingest", batch)
            except StageUnavailableError as error:
                raise OverloadedError(str(error), retry_after=error.retry_after) from None
            if batch.has_refused:
                rejected += self.refusals.count(plugin.name, batch)
                batch = batch.kept()
        return batch, rejected

    def process(self, batch: WorkingBatch) -> None:
        """Run every `normalize`, then every `enrich`, over one batch. For pipelines without isolated stages.

        Raises `StageUnavailableError` when the batch must wait; the next call goes on at that stage.
        """
        for plugin, hook in self._after[batch.stages_done :]:
            self._run(plugin, hook, batch)
            batch.stages_done += 1

    async def process_with_isolated(self, batch: WorkingBatch) -> None:
        """Like `process`, for a pipeline in which some stage has a process of its own."""
        for plugin, hook in self._after[batch.stages_done :]:
            if plugin.entry.isolated:
                await self._run_isolated(plugin, hook, batch)
            else:
                self._run(plugin, hook, batch)
            batch.stages_done += 1

    def _run(self, plugin: Plugin, hook: str, batch: WorkingBatch) -> None:
        """Call one hook. Raises `Reject` (`on_ingest` only) and `StageUnavailableError`."""
        breaker = self.circuits[plugin.name]
        if not batch.size or (breaker.failures_in_a_row and breaker.is_open):
            return
        error = self._call(plugin, hook, batch)
        if error is None or plugin.on_error == "continue":
            return
        if isinstance(error, RetryableError):
            breaker.unavailable = hook
            raise StageUnavailableError(plugin.name, error.retry_after or RETRY_AFTER)
        self._call_one_by_one(plugin, hook, batch)

    def _call_one_by_one(self, plugin: Plugin, hook: str, batch: WorkingBatch) -> None:
        """Repeat a failed call for each record alone: one bad record costs no other.

        The record at which `on_ingest` raises is rejected; at another hook it goes on without that stage.
        """
        batch.regroup()
        for place, record in enumerate(batch.records()):
            part = batch.part([place])
            if batch.size > 1 and self._call(plugin, hook, part) is None:
                part.records()
                batch.take_refusals(part)
            elif hook == "on_ingest":
                batch.reject(record, f"{plugin.name} cannot check this record")

    def _call(self, plugin: Plugin, hook: str, batch: WorkingBatch) -> BaseException | None:
        """Call one hook; what it raised, if anything. Raises `Reject` when `on_ingest` refuses the request."""
        breaker = self.circuits[plugin.name]
        if batch.needs_grouping:
            batch.use(self._outlines)
            self.inspector.groups(batch)
        self.watch.current = plugin.name
        started = time.perf_counter()
        try:
            batch.call(hook, plugin.hooks[hook])
        except Reject:
            breaker.succeeded(time.perf_counter() - started)
            if hook == "on_ingest":
                raise
            return None
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything; the batch goes on
            breaker.failed(time.perf_counter() - started, f"{hook}: {where_raised(error, package_of(plugin.instance))}")
            return error
        else:
            seconds = time.perf_counter() - started
            fault = self.inspector.fault_in(batch, breaker.calls)
            if fault:
                breaker.failed(seconds, f"{hook}: {fault}")
            else:
                breaker.succeeded(seconds)
            return None
        finally:
            self.watch.current = None

    async def _run_isolated(self, plugin: Plugin, hook: str, batch: WorkingBatch) -> None:
        breaker = self.circuits[plugin.name]
        if breaker.is_open or not batch.size:
            return
        batch.regroup()
        started = time.perf_counter()
        breaker.calls += 1
        try:
            await plugin.hooks[hook](records=batch.records())
        except Exception as error:  # noqa: BLE001  whatever became of the process, the batch goes on
            known = isinstance(error, LogAggregatorError)
            breaker.count_failure(f"{hook}: {error}" if known else f"{hook}: {type(error).__name__}")
            if plugin.on_error != "continue":
                breaker.unavailable = hook
                raise StageUnavailableError(plugin.name, RETRY_AFTER) from None
        else:
            breaker.seconds += time.perf_counter() - started
            breaker.recovered()
