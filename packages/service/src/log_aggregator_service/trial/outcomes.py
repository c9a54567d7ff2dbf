"""What became of each log: run through the stages as configured, with an empty learned state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from log_aggregator.config.limits import limits_of
from log_aggregator.errors import Reject
from log_aggregator.model.aggregate import Alias
from log_aggregator.model.batch import WorkingBatch
from log_aggregator.model.fields.construct import configure
from log_aggregator.model.record import Record
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator_service.offline import alive, final_patterns
from log_aggregator_service.trial.reading import Sent

if TYPE_CHECKING:
    from log_aggregator.config.settings import Settings
    from log_aggregator.plugins.registry import Plugin, Registry

BATCH = 1000
"""Records that cross the stages at once."""

HOOKS = ("on_ingest", "normalize", "enrich")


class Failure(NamedTuple):
    """A stage that raised at a log. `error` holds the text of the exception: who tries a log owns it."""

    plugin: str
    hook: str
    error: str


@dataclass(slots=True, eq=False)
class Outcome:
    """What became of one log. `by` is the plugin that dropped or rejected it, or `fields` where it is no log."""

    number: int
    text: str
    what: Literal["kept", "dropped", "rejected"]
    record: Record | None
    by: str = ""
    reason: str = ""
    pattern: str = ""
    pattern_id: str = ""
    failures: list[Failure] = field(default_factory=list)


def try_logs(registry: Registry, settings: Settings, logs: Sequence[Sent]) -> list[Outcome]:
    """Run every log through the stages; one outcome for each, in order, as known after the last one.

    Sinks are not called. Raises `ConfigError` when the `lifespan` of a stage fails.
    """
    configure(limits_of(settings))
    return asyncio.run(_try_logs(registry, settings, logs))


async def _try_logs(registry: Registry, settings: Settings, logs: Sequence[Sent]) -> list[Outcome]:
    outcomes = [
        Outcome(log.number, log.text, "kept", log.record)
        if log.record is not None
        else Outcome(log.number, log.text, "rejected", None, "fields", log.fault)
        for log in logs
    ]
    aliases: list[Alias] = []
    trial = _Trial(registry, {id(one.record): one for one in outcomes if one.record is not None})
    async with alive(registry, settings, aliases, HOOKS):
        records = [one.record for one in outcomes if one.record is not None]
        for start in range(0, len(records), BATCH):
            await trial.run(records[start : start + BATCH])
    kept = [(one, one.record) for one in outcomes if one.what == "kept" and one.record is not None]
    final = final_patterns({record.pattern or record.message for _, record in kept}, aliases)
    for one, record in kept:
        one.pattern_id, one.pattern = final[record.pattern or record.message]
    return outcomes


class _Trial:
    def __init__(self, registry: Registry, outcomes: dict[int, Outcome]) -> None:
        self._ingest = registry.with_hook("on_ingest")
        self._after = [(plugin, hook) for hook in HOOKS[1:] for plugin in registry.with_hook(hook)]
        self._outcomes = outcomes

    async def run(self, records: list[Record]) -> None:
        """One batch through all stages."""
        batch = WorkingBatch(list(records))
        for plugin in self._ingest:
            batch = self._guard(plugin, batch)
        for plugin, hook in self._after:
            if not batch.size:
                return
            if plugin.entry.isolated:
                batch.regroup()
                await plugin.hooks[hook](records=batch.records())
            else:
                self._call(plugin, hook, batch)
        batch.records()
        await asyncio.sleep(0)

    def _guard(self, plugin: Plugin, batch: WorkingBatch) -> WorkingBatch:
        if not batch.size:
            return batch
        try:
            self._call(plugin, "on_ingest", batch)
        except Reject as error:
            self._note("rejected", plugin, [(record, error.reason) for record in batch.records()])
            return WorkingBatch([])
        dropped, rejected = batch.refused()
        self._note("dropped", plugin, dropped)
        self._note("rejected", plugin, rejected)
        return batch.kept() if batch.has_refused else batch

    def _note(
        self, what: Literal["dropped", "rejected"], plugin: Plugin, refused: Sequence[tuple[Record, object]]
    ) -> None:
        for record, reason in refused:
            one = self._outcomes[id(record)]
            one.what, one.by, one.reason = what, plugin.name, str(reason)

    def _call(self, plugin: Plugin, hook: str, batch: WorkingBatch) -> None:
        """Call a hook; when it raises, call it for each record alone, to know at which. Raises `Reject`."""
        try:
            batch.call(hook, plugin.hooks[hook])
        except Reject:
            raise
        except (Exception, SystemExit):  # noqa: BLE001  a plugin may raise anything
            batch.regroup()
            for place, record in enumerate(batch.records()):
                part = batch.part([place])
                try:
                    part.call(hook, plugin.hooks[hook])
                    part.records()
                    batch.take_refusals(part)
                except Reject as error:
                    batch.reject(record, error.reason)
                except (Exception, SystemExit) as error:  # noqa: BLE001  likewise
                    where = where_raised(error, package_of(plugin.instance))
                    self._outcomes[id(record)].failures.append(Failure(plugin.name, hook, f"{where}: {error}"))
                    if hook == "on_ingest" and plugin.on_error == "refuse":
                        batch.reject(record, f"{plugin.name} cannot check this record")
