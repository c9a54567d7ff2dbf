"""The stages: traces get their pattern in `normalize`, all records their category, tags and level in `enrich`."""

from __future__ import annotations

from hashlib import blake2b

from log_aggregator import Record, hookimpl
from log_aggregator.record import LEVELS
from log_aggregator_classify import config as settings
from log_aggregator_classify.config import built_in_rules
from log_aggregator_classify.measures import Plan, plan
from log_aggregator_classify.metadata import MetadataRules
from log_aggregator_classify.ruleset import NOTHING, RuleSet, Verdict
from log_aggregator_classify.traces import find_trace

MEMO_ENTRIES = 20_000
"""Verdicts remembered; then the memo starts anew."""

MEMO_LENGTH = 4096
"""Characters of a pattern; a longer one is remembered by its digest, and no amounts are taken out of its messages."""

TRACE_CHARACTERS = 4_000_000
"""What the memo of traces holds at most, in characters of messages."""

_What = tuple[str, str, str, bool]
"""Pattern, source, level, whether the client sent one: what a verdict hangs on."""

_Said = tuple[str, tuple[str, ...], str, Plan | None]
"""The category, tags and severity of a verdict, and how to take amounts out of messages."""

_RANKS = {level: rank for rank, level in enumerate(("", *LEVELS))}


class ClassifyPlugin:
    """Gives records a category, tags and, where the client sent no level, a severity."""

    Config = settings.Config

    def __init__(self, config: settings.Config) -> None:
        self._config = config
        rules = (*config.rules, *(built_in_rules() if config.built_in else ()))
        self._rules = RuleSet(rules)
        self._metadata_rules = MetadataRules(rules)
        self._kinds: dict[str, frozenset[int]] = {}
        self._verdicts: dict[tuple[str | bytes, str, frozenset[int]], Verdict] = {}
        self._plans: dict[str, Plan | None] = {}
        self._traces: dict[str, str] = {}
        self._trace_characters = 0
        self._known: dict[_What, _Said] = {}

    @hookimpl
    def normalize(self, records: list[Record]) -> None:
        """Give records that hold a stack trace a pattern of exception and top frames."""
        if not self._config.traces:
            return
        for record in [record for record in records if "\n" in record.message]:
            pattern = self._traces.get(record.message)
            if pattern is None:
                pattern = self._trace_pattern(record.message)
            if pattern:
                record.pattern = pattern
                record.settled = True

    @hookimpl
    def enrich(self, records: list[Record]) -> None:
        """Classify each record: by its pattern, which is remembered, and by metadata that a rule asks for."""
        known, keys = self._known.get, self._metadata_rules.keys
        for record in records:
            what = (record.pattern, record.source, record.level, record.level_sent)
            category, tags, severity, how = known(what) or self._look_at(what, record)
            if how is not None:
                self._measure(record, how)
            if record.metadata and not keys.isdisjoint(record.metadata):
                category, tags, severity = self._with_metadata(record, Verdict(category, tags, severity))
            if not record.category:
                record.category = category or self._config.default_category
            if tags:
                record.tags = tuple(dict.fromkeys((*record.tags, *tags))) if record.tags else tags
            if severity and not record.level_sent and self._config.severity:
                record.level = severity

    def _look_at(self, what: _What, record: Record) -> _Said:
        """Judge a pattern of a source and level anew, and remember it under all three."""
        kind = self._kinds.get(record.source)
        if kind is None:
            kind = self._kind(record.source)
        level = record.level if record.level_sent else ""
        pattern = record.pattern or record.message
        key = pattern if len(pattern) <= MEMO_LENGTH else blake2b(pattern.encode(errors="surrogatepass")).digest()
        verdict = self._verdicts.get((key, level, kind)) or self._judge(pattern, key, level, kind)
        how = self._plans[record.pattern] if record.pattern in self._plans else self._plan(record.pattern)
        if len(self._known) >= MEMO_ENTRIES:
            self._known.clear()
        if record.pattern and len(pattern) <= MEMO_LENGTH:
            self._known[what] = (*verdict, how)
        return (*verdict, how)

    def _measure(self, record: Record, how: Plan) -> None:
        """Put numbers that the pattern masked into the metadata, under the placeholder's name."""
        taken = how.take(record.message)
        if taken:
            record.metadata = {**taken, **record.metadata} if record.metadata else taken
        if not how.slots:
            self._plans[record.pattern] = None
            self._known.clear()

    def _plan(self, pattern: str) -> Plan | None:
        if len(self._plans) >= MEMO_ENTRIES:
            self._plans.clear()
        if len(pattern) > MEMO_LENGTH or not self._config.measures:
            return None
        how = self._plans[pattern] = plan(pattern, self._config.measures)
        return how

    def _kind(self, source: str) -> frozenset[int]:
        if len(self._kinds) >= MEMO_ENTRIES:
            self._kinds.clear()
        kind = self._kinds[source] = self._rules.kind_of_source(source)
        return kind

    def _judge(self, pattern: str, key: str | bytes, level: str, kind: frozenset[int]) -> Verdict:
        verdict = self._rules.judge(pattern, level, kind)
        if pattern.startswith("{TRACE} "):
            verdict = Verdict(verdict.category, (*verdict.tags, "stack-trace"), verdict.severity or "ERROR")
        if len(self._verdicts) >= MEMO_ENTRIES:
            self._verdicts.clear()
        self._verdicts[key, level, kind] = verdict
        return verdict

    def _with_metadata(self, record: Record, verdict: Verdict) -> Verdict:
        level = record.level if record.level_sent else ""
        found = self._metadata_rules.judge(record.metadata, record.pattern or record.message, level, record.source)
        if found is NOTHING:
            return verdict
        severity = max(verdict.severity, found.severity, key=_RANKS.__getitem__)
        return Verdict(verdict.category or found.category, (*verdict.tags, *found.tags), severity)

    def _trace_pattern(self, message: str) -> str:
        trace = find_trace(message)
        pattern = trace.pattern(self._config.trace_frames) if trace else ""
        self._trace_characters += len(message) + 200
        if self._trace_characters > TRACE_CHARACTERS:
            self._traces.clear()
            self._trace_characters = len(message) + 200
        self._traces[message] = pattern
        return pattern
