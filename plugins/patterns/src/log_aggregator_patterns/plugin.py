"""The plugin: which rules are in force, and the stage that applies them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pluggy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from log_aggregator import Batch, ConfigError, Group, Hooks, Service, hookimpl
from log_aggregator.model.batch import outlined
from log_aggregator.model.group import outline_of_group
from log_aggregator.model.shapes import shape_of
from log_aggregator_patterns.builtin import builtin_rules, read_file, read_rules
from log_aggregator_patterns.hazard import danger
from log_aggregator_patterns.memo import PatternMemo
from log_aggregator_patterns.rule import Rule
from log_aggregator_patterns.ruleset import RuleSet, Span

hookspec = pluggy.HookspecMarker("log_aggregator")


class PatternHooks(Protocol):
    """What this plugin asks of other plugins: rule packs."""

    @hookspec
    def pattern_rules(self) -> list[Rule | dict[str, Any]]:
        """Give rules to the one rule set of the patterns plugin.

        Called: once, when the plugins are put together; in `check` too. `def`.
        May change: nothing; return rules, as `Rule` or as tables with the same keys.
        `None`: no rules.
        Raising: stops the start with a line that names the pack.
        Overlap: never.
        """


class PatternsConfig(BaseModel):
    """Options of the patterns plugin."""

    model_config = ConfigDict(extra="forbid")

    builtin: bool = Field(True, description="use the built-in rules")
    disable: list[str] = Field([], description="names of built-in rules that are left out")
    rules: list[Rule] = Field([], description="rules of your own")
    rule_files: list[Path] = Field([], description="TOML files with rules")
    memory: int = Field(4_000_000, ge=10_000, description="characters of line shapes that are remembered, half of it")


class Patterns:
    """Replaces what varies in a message by placeholders: `User 123 logged in` → `User {ID} logged in`.

    The order of the rules: first `rules` of the file, then `rule_files`, then rule packs in the order
    of `plugins.toml`, then the built-in ones; rules marked `first = false` come after those.
    """

    Config = PatternsConfig
    on_error = "wait"
    hookspecs = PatternHooks

    def __init__(self, config: PatternsConfig) -> None:
        self._config = config
        self._own: list[Rule] = []
        self._used: list[Rule] | None = None
        for rule in config.rules:
            self._own.append(_safe(rule, "rules"))
        for path in config.rule_files:
            try:
                read = read_rules(path)
            except ValueError as error:
                raise ConfigError(str(error)) from None
            self._own += [_safe(rule, f"rule file {path}") for rule in read]
        self._use(self._own)

    def tests(self) -> list[dict[str, Any]]:
        """The tests of the rule files, for `log-aggregator test`."""
        return [test for path in self._config.rule_files for test in read_file(path).tests]

    def assemble(self, hooks: Hooks) -> None:
        """Take in the rules of the rule packs."""
        rules = list(self._own)
        for pack, given in hooks.call("pattern_rules"):
            rules += [_safe(rule, f"rule pack {pack!r}") for rule in _rules_of(pack, given or [])]
        self._use(rules)

    @property
    def rules(self) -> RuleSet:
        """The rules in force."""
        return self._memo.rules

    def explain(self, message: str) -> list[Span]:
        """Which rule took which part of a message."""
        return self.rules.explain(message)

    @hookimpl(optionalhook=True)
    def text_mask(self) -> Callable[[str], str]:
        """For `classify`: the pattern of the sentence before a stack trace."""
        return lambda text: self._memo.mask(text, shape_of(text))

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        """Set the pattern of each group, or of each record of a group where its digits decide."""
        memo = self._memo
        known = memo.young.get
        groups = outlined(batch)
        memo.expect([one.shape for one in groups if one.shape not in memo.young and not outline_of_group(one)])
        for group in groups:
            shape = group.shape
            if outline_of_group(group):
                self._of_outline(group)
                known = memo.young.get
                continue
            pattern = known(shape)
            if type(pattern) is str:
                group.pattern = pattern
            else:
                for pattern, part in group.split([memo.mask(message, shape) for message in group.messages]):
                    part.pattern = pattern
                known = memo.young.get

    def _of_outline(self, group: Group) -> None:
        """Set the patterns of messages that have an outline in common."""
        messages = group.messages
        for pattern, part in group.split(self._memo.mask_outline(group.shape, messages)):
            part.pattern = pattern

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> Any:
        """Show figures while the service runs. Make the rules ready for outlines in a thread, once shapes are new."""
        service.add_stats("patterns", self._figures)
        wanted = asyncio.Event()
        memo = self._memo

        async def prepare() -> None:
            await wanted.wait()
            while not memo.is_ready:
                await asyncio.to_thread(memo.prepare)

        memo.on_demand = wanted.set
        service.run("outlines", prepare)
        try:
            yield
        finally:
            memo.on_demand = memo.prepare

    def _figures(self) -> dict[str, Any]:
        return {"rules": len(self.rules.rules), "shapes_computed": self._memo.misses, "planned": self._memo.planned}

    def _use(self, rules: Sequence[Rule]) -> None:
        if list(rules) == self._used:  # compiling is an eighth of a start: not again where no rule pack gives any
            return
        try:
            self._memo = PatternMemo(RuleSet(_in_order(rules, self._builtin())), self._config.memory)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        self._used = list(rules)

    def _builtin(self) -> list[Rule]:
        if not self._config.builtin:
            return []
        names = {rule.name for rule in builtin_rules()}
        unknown = sorted(set(self._config.disable) - names)
        if unknown:
            raise ConfigError(
                f"disable: {unknown[0]!r} is no built-in rule; expected some of: {', '.join(sorted(names))}"
            )
        return [rule for rule in builtin_rules() if rule.name not in self._config.disable]


def _in_order(given: Sequence[Rule], builtin: Iterable[Rule]) -> list[Rule]:
    return [*(rule for rule in given if rule.first), *builtin, *(rule for rule in given if not rule.first)]


def _rules_of(pack: str, given: Iterable[Any]) -> list[Rule]:
    rules = []
    for index, rule in enumerate(given):
        try:
            rules.append(rule if isinstance(rule, Rule) else Rule.model_validate(rule))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            text = first["msg"].removeprefix("Value error, ")
            raise ConfigError(f"rule pack {pack!r}: rule {index}: {where}: {text}") from None
    return rules


def _safe(rule: Rule, where: str) -> Rule:
    reason = danger(rule.regex)
    if reason is not None:
        raise ConfigError(f"{where}: rule {rule.name!r} could hang the service: {reason}")
    return rule
