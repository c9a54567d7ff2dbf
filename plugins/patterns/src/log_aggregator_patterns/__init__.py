"""Rules that mask what varies in log messages: what other packages may import."""

from log_aggregator_patterns.builtin import builtin_rules, read_rules
from log_aggregator_patterns.hazard import danger
from log_aggregator_patterns.memo import PatternMemo
from log_aggregator_patterns.plugin import PatternHooks, Patterns, PatternsConfig
from log_aggregator_patterns.rule import Rule
from log_aggregator_patterns.ruleset import RuleSet, Span, assemble
from log_aggregator_patterns.variables import Variable, Variables

__all__ = [
    "PatternHooks",
    "PatternMemo",
    "Patterns",
    "PatternsConfig",
    "Rule",
    "RuleSet",
    "Span",
    "Variable",
    "Variables",
    "assemble",
    "builtin_rules",
    "danger",
    "read_rules",
]
