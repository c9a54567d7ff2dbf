"""What the documentation says of the rules is so."""

from __future__ import annotations

import re
from pathlib import Path

from log_aggregator_patterns import RuleSet, Variables, builtin_rules

DOCUMENT = (Path(__file__).parents[3] / "docs/explanation/patterns.md").read_text("utf-8")


def test_the_table_lists_every_rule_in_its_order_with_its_placeholder() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| `?(\S+?)`? \|", DOCUMENT[DOCUMENT.index("| `http-request`") :], re.MULTILINE
    )
    rows = rows[: len(builtin_rules())]
    assert rows == [(rule.name, "kept" if rule.keep else rule.placeholder) for rule in builtin_rules()]


def test_every_example_is_taken_by_its_rule() -> None:
    rules = RuleSet(builtin_rules())
    for name, cell in re.findall(
        r"^\| `([a-z0-9-]+)` \| (?:kept|`[{\"'][^`]+`) \| ([^|]*) \|$", DOCUMENT, re.MULTILINE
    ):
        given = re.split("; not|; the keys|: the unit|: a word|→| in ", cell)[0]
        for example in re.findall(r"`([^`]+)`", given):
            assert name in {span.rule for span in rules.explain(f"x {example} y")}, example


def test_the_code_of_the_document_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {"__name__": "document"})
    assert Variables is not None
