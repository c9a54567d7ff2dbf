"""The stages: traces get their pattern in `normalize`, all records their category, tags and level in `enrich`."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Protocol

import pluggy

from log_aggregator import Batch, Group, Hooks, hookimpl
from log_aggregator.model.batch import outlined
from log_aggregator.model.record import LEVELS
from log_aggregator_classify import config as settings
from log_aggregator_classify.config import built_in_rules
from log_aggregator_classify.counts import counts_failures, severity_of_counts
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

_Said = tuple[Verdict, Plan | None]
"""What is to be said of records, and how to take amounts out of their messages."""

_Judged = tuple[Group, str, Verdict]
"""Records, the pattern by which they are judged, and what it says."""

_NO_CONDITIONS: set[tuple[int, ...]] = {()}

TRACE = "{TRACE} "
"""What stands before the exception in the pattern of a stack trace."""

_RANKS = {level: rank for rank, level in enumerate(("", *LEVELS))}


hookspec = pluggy.HookspecMarker("log_aggregator")


class ClassifyHooks(Protocol):
    """What this plugin asks of other plugins: how a text is masked."""

    @hookspec
    def text_mask(self) -> Callable[[str], str]:
        """Give a function that replaces what varies in a text by placeholders.

        Called: once, when the plugins are put together; in `check` too. `def`.
        May change: nothing. The sentence before a stack trace gets its pattern by it.
        `None`: no function; patterns of traces then begin with the exception.
        Raising: stops the start.
        Overlap: never.
        """


class ClassifyPlugin:
    """Gives records a category, tags and, where the client sent no level, a severity."""

    Config = settings.Config
    hookspecs = ClassifyHooks

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
        self._mask: Callable[[str], str] | None = None

    def assemble(self, hooks: Hooks) -> None:
        """Take the first mask that a plugin gives."""
        self._mask = next((mask for _, mask in hooks.call("text_mask") if mask is not None), None)

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        """Give records that hold a stack trace a pattern of exception and top frames."""
        if not self._config.traces:
            return
        for group in outlined(batch):
            if "\n" not in group.shape:
                continue
            patterns = [self._trace_pattern(message) for message in group.messages]
            for pattern, part in group.split(patterns):
                if pattern:
                    part.pattern = pattern
                    part.pattern_is_final = True

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        """Classify records: by their pattern, which is remembered, and by metadata that a rule asks for."""
        judged: list[_Judged] = []
        for group in outlined(batch):
            if group.pattern:
                judged += self._judged(group, group.pattern, remember=True)
            else:  # without a pattern each message is judged by itself
                for message, part in group.split(group.messages):
                    judged += self._judged(part, message, remember=False)
        column = [metadata for group, _, _ in judged for metadata in group.metadata]
        fulfilled = self._metadata_rules.fulfilled(column) if any(column) else None
        start = 0
        for group, pattern, verdict in judged:
            stop = start + len(group.metadata)
            conditions = set(fulfilled[start:stop]) if fulfilled is not None else _NO_CONDITIONS
            if conditions == _NO_CONDITIONS or fulfilled is None:
                self._annotate(group, verdict)
            else:
                found = {one: self._with_metadata(group, pattern, one, verdict) for one in conditions}
                for different, part in group.split([found[one] for one in fulfilled[start:stop]]):
                    self._annotate(part, different)
            start = stop

    def _judged(self, group: Group, pattern: str, *, remember: bool) -> list[_Judged]:
        """What the pattern of a group says: of its parts, where the level hangs on counts in the messages."""
        what = (pattern, group.source, group.level, group.level_is_explicit)
        verdict, how = self._known.get(what) or self._look_at(what, remember=remember)
        if how is not None:
            self._measure(group, how)
        if group.level_is_explicit or not verdict.counts:
            return [(group, pattern, verdict)]
        severities = [severity_of_counts(message) for message in group.messages]
        return [
            (part, pattern, verdict._replace(severity=severity or verdict.severity))
            for severity, part in group.split(severities)
        ]

    def _annotate(self, group: Group, verdict: Verdict) -> None:
        category, tags, severity, _ = verdict
        if not group.category:
            group.category = category or self._config.default_category
        if tags:
            group.tags = tuple(dict.fromkeys((*group.tags, *tags))) if group.tags else tags
        if severity and not group.level_is_explicit and self._config.severity:
            group.level = severity

    def _look_at(self, what: _What, *, remember: bool) -> _Said:
        """Judge a pattern of a source and level anew; with `remember` under all three."""
        pattern, source, level, level_is_explicit = what
        kind = self._kinds.get(source)
        if kind is None:
            kind = self._kind(source)
        level = level if level_is_explicit else ""
        key = pattern if len(pattern) <= MEMO_LENGTH else blake2b(pattern.encode(errors="surrogatepass")).digest()
        verdict = self._verdicts.get((key, level, kind)) or self._judge(pattern, key, level, kind)
        if not remember:
            return verdict, None
        how = self._plans[pattern] if pattern in self._plans else self._plan(pattern)
        if len(self._known) >= MEMO_ENTRIES:
            self._known.clear()
        if len(pattern) <= MEMO_LENGTH:
            self._known[what] = (verdict, how)
        return verdict, how

    def _measure(self, group: Group, how: Plan) -> None:
        """Put numbers that the pattern masked into the metadata, under the placeholder's name."""
        taken = [how.take(message) for message in group.messages]
        if any(taken):
            sent = group.metadata
            group.metadata = [{**new, **old} for new, old in zip(taken, sent, strict=True)] if any(sent) else taken
        if not how.slots:
            self._plans[group.pattern] = None
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
        if counts_failures(pattern):
            verdict = verdict._replace(counts=True)
        if TRACE in pattern:
            tags = (*verdict.tags, "stack-trace")
            verdict = Verdict(verdict.category, tags, verdict.severity or "ERROR")
        if len(self._verdicts) >= MEMO_ENTRIES:
            self._verdicts.clear()
        self._verdicts[key, level, kind] = verdict
        return verdict

    def _with_metadata(self, group: Group, pattern: str, conditions: tuple[int, ...], verdict: Verdict) -> Verdict:
        """The verdict with what the metadata adds, of which these conditions hold."""
        level = group.level if group.level_is_explicit else ""
        found = self._metadata_rules.verdict(conditions, pattern, level, group.source)
        if found is NOTHING:
            return verdict
        severity = max(verdict.severity, found.severity, key=_RANKS.__getitem__)
        return Verdict(verdict.category or found.category, (*verdict.tags, *found.tags), severity)

    def _trace_pattern(self, message: str) -> str:
        """The pattern of a trace, or an empty text; remembered by the message."""
        pattern = self._traces.get(message)
        if pattern is not None:
            return pattern
        trace = find_trace(message)
        pattern = trace.pattern(self._config.trace_frames) if trace else ""
        if trace is not None and self._mask is not None and (sentence := trace.sentence):
            pattern = f"{self._mask(sentence)} {pattern}"
        self._trace_characters += len(message) + 200
        if self._trace_characters > TRACE_CHARACTERS:
            self._traces.clear()
            self._trace_characters = len(message) + 200
        self._traces[message] = pattern
        return pattern
