"""The whole suite for rule packs: plugins that give rules to the patterns plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.errors import ConfigError
from log_aggregator.model.record import Record
from log_aggregator.plugins.registry import Registry
from log_aggregator_dev.factories import make_record
from log_aggregator_dev.stage_suite import run_stage


class RulePackContract:
    """Everything that is expected of a rule pack. Needs the patterns plugin. Inherit, give examples, run pytest:

    class TestMyRules(RulePackContract):
        examples = {"order ORD-20240101 shipped": "order {ORDER} shipped"}

        def make_pack(self):
            return MyRules(MyRules.Config())
    """

    examples: Mapping[str, str] = {}
    """Message → the pattern it must get, with the built-in rules in force too. Every rule takes part in one."""

    unchanged: tuple[str, ...] = ()
    """Messages that no rule of the pack may touch."""

    def make_pack(self) -> Any:
        """A new rule pack. Required: without it, the checks fail and say what is missing."""
        raise NotImplementedError(f"{type(self).__name__}.make_pack(self) must return the rule pack under test")

    def test_the_rules_are_accepted(self) -> None:
        """The patterns plugin takes the rules: each is well formed, has its own name, and cannot hang the service."""
        try:
            self._patterns()
        except ConfigError as error:
            raise AssertionError(str(error)) from None
        assert self._rules(), "the pack gives no rules; is pattern_rules marked with @hookimpl?"

    def test_every_example_gets_its_pattern(self) -> None:
        """The examples mean what they say."""
        patterns = self._patterns()
        assert self.examples, f"{type(self).__name__}.examples is empty: give at least one message and its pattern"
        for message, expected in self.examples.items():
            found = _pattern(patterns, message)
            assert found == expected, f"{message!r} became {found!r}, expected {expected!r}"

    def test_every_rule_has_an_example(self) -> None:
        """Each rule masks something in some example: a rule that is never seen at work may never work."""
        patterns = self._patterns()
        seen = {span[0] for message in self.examples for span in patterns.explain(message)}
        idle = sorted(set(self._rules()) - seen)
        assert not idle, f"no example shows what these rules do: {', '.join(idle)}"

    def test_other_messages_are_left_alone(self) -> None:
        """No rule of the pack takes part in a message of `unchanged`."""
        patterns, own = self._patterns(), set(self._rules())
        for message in self.unchanged:
            taken = {span[0] for span in patterns.explain(message)} & own
            assert not taken, f"{message!r} was touched by {', '.join(sorted(taken))}"

    def test_a_pattern_stays_as_it_is(self) -> None:
        """A pattern that comes in as a message stays what it is: placeholders are not masked again."""
        patterns = self._patterns()
        for pattern in self.examples.values():
            again = _pattern(patterns, pattern)
            assert again == pattern, f"the pattern {pattern!r} became {again!r} when it came as a message"

    def _patterns(self) -> Any:
        pipeline = parse_plugins("[plugins.patterns]\n[plugins.under-test]\n")
        registry = Registry(pipeline, {}, {"under-test": self.make_pack()})
        return registry.plugins[0].instance

    def _rules(self) -> list[str]:
        registry = Registry(
            parse_plugins("[plugins.patterns]\n[plugins.under-test]\n"), {}, {"under-test": self.make_pack()}
        )
        rules = [rule for _, given in registry.call("pattern_rules") for rule in given or []]
        return [rule["name"] if isinstance(rule, dict) else rule.name for rule in rules]


def _pattern(patterns: Any, message: str) -> str:
    record: Record = make_record(message)
    run_stage(patterns, [record])
    return record.pattern
