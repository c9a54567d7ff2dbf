"""`[[rules]]` are read with the file, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator import ConfigError
from log_aggregator.config.pipeline import parse_plugins, read_rules

TRENDS = "[plugins.trends]\n[[rules]]\n"


def test_rules_are_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "plugins.toml"
    assert read_rules(file) == []
    file.write_text(
        '[plugins.trends]\n[[rules]]\nsearch = "level:fatal"\nmore_than = 0\n'
        '[[rules]]\nname = "backup runs"\nsearch = "source:backup"\nnone_for = "25m"\n'
        '[[rules]]\nsearch = ""\nmore_than = 100\nwithin = "2h"\n'
    )
    found = read_rules(file)
    assert [(rule.title, rule.more_than, rule.none_for, rule.minutes) for rule in found] == [
        ("level:fatal", 0, None, 5),
        ("backup runs", None, "25m", 25),
        ("all logs", 100, None, 120),
    ]
    assert [entry.name for entry in parse_plugins(file.read_text())] == ["trends"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            TRENDS + 'search = "a levle:error"\nmore_than = 1',
            r"plugins.toml \[\[rules\]\] 1 search: column 3: levle: unknown field; did you mean 'level'\?",
        ),
        (TRENDS + 'search = "a"\nmore_then = 1', r"\[\[rules\]\] 1 more_then: unknown key; did you mean 'more_than'\?"),
        (TRENDS + 'search = "a"', r"\[\[rules\]\] 1: expected one condition: either more_than or none_for"),
        (TRENDS + 'search = "a"\nmore_than = 1\nnone_for = "5m"', r"expected one condition"),
        (TRENDS + 'search = "a"\nwithin = "5m"\nnone_for = "5m"', r"within belongs to more_than; expected none_for"),
        (TRENDS + 'search = "a"\nmore_than = 1\nwithin = "25h"', r"1 within: expected a time from 1m to 24h"),
        (TRENDS + 'search = "a"\nmore_than = 1\nwithin = "90"', r"1 within: expected a time from 1m to 24h"),
        (TRENDS + 'search = "a"\nmore_than = "3"', r"1 more_than: expected a whole number; found a text"),
        (TRENDS + 'search = "a seen:<1h"\nmore_than = 1', r"1 search: seen: a rule has a time of its own"),
        (TRENDS + "more_than = 1", r"1 search: Field required"),
        (
            TRENDS + 'search = "a"\nmore_than = 1\n[[rules]]\nsearch = "a"\nmore_than = 2',
            r"\[\[rules\]\] 2 name: 'a' is also the name of plugins.toml \[\[rules\]\] 1; expected another one",
        ),
        ('[[rules]]\nsearch = "a"\nmore_than = 1', r"\[\[rules\]\]: nothing evaluates them; add \[plugins.trends\]"),
        ("rules = 3", r"rules: expected tables \[\[rules\]\]"),
    ],
)
def test_a_wrong_rule_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_plugins(text)
