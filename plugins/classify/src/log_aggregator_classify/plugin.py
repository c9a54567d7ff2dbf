"""The stages: traces get their pattern in `normalize`, all records their category, tags and level in `enrich`."""

from __future__ import annotations

from hashlib import blake2b
from operator import attrgetter

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

FRUITLESS_TRIES = 32
"""Messages without an amount, one after the other, after which a pattern is not searched for amounts any more."""

_What = tuple[str, str, str, bool]
_what = attrgetter("pattern", "source", "level", "level_sent")
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
        self._known: dict[_What, tuple[Verdict, Plan | None]] = {}
        self._fruitless: dict[str, int] = {}

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
        for what, record in zip(map(_what, records), records, strict=True):
            verdict, how = known(what) or self._look_at(what, record)
            if how is not None:
                self._measure(record, how)
            if record.metadata and not keys.isdisjoint(record.metadata):
                verdict = self._with_metadata(record, verdict, record.level if record.level_sent else "")
            category, tags, severity = verdict
            if not record.category:
                record.category = category or self._config.default_category
            if tags:
                record.tags = tuple(dict.fromkeys((*record.tags, *tags))) if record.tags else tags
            if severity and not record.level_sent and self._config.severity:
                record.level = severity

    def _look_at(self, what: _What, record: Record) -> tuple[Verdict, Plan | None]:
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
            self._known[what] = verdict, how
        return verdict, how

    def _measure(self, record: Record, how: Plan) -> None:
        """Put numbers that the pattern masked into the metadata, under the placeholder's name."""
        taken = how.take(record.message)
        if taken:
            record.metadata = {**taken, **record.metadata}
            self._fruitless.pop(record.pattern, None)
        else:
            self._count_fruitless(record.pattern)

    def _count_fruitless(self, pattern: str) -> None:
        """Give a pattern up whose placeholders hold no amounts, such as points in time."""
        tries = self._fruitless[pattern] = self._fruitless.get(pattern, 0) + 1
        if tries >= FRUITLESS_TRIES:
            self._plans[pattern] = None
            del self._fruitless[pattern]
            self._known.clear()

    def _plan(self, pattern: str) -> Plan | None:
        if len(self._plans) >= MEMO_ENTRIES:
            self._plans.clear()
            self._fruitless.clear()
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

    def _with_metadata(self, record: Record, verdict: Verdict, level: str) -> Verdict:
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
