"""Metadata of many records, looked at key by key, says of each what its own says alone."""

from __future__ import annotations

from copy import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator_classify import ClassifyPlugin, Rule
from log_aggregator_classify.config import Config
from log_aggregator_dev import run_stage

_VALUES = st.one_of(
    st.sampled_from((200, 404, 500, 503, "500", "404", 1, True, 1.0, None, "6s", "2 s", "KeyError")),
    st.just([1, 2]), st.just({"inner": 5}),
)  # fmt: skip
_METADATA = st.dictionaries(st.sampled_from(("status", "duration", "exception", "flag", "other")), _VALUES, max_size=4)
_RULES = (
    Rule(name="flag", metadata={"flag": 1}, tags=("one",)),
    Rule(name="both", metadata={"flag": "*", "status": ">= 500"}, severity="CRITICAL", tags=("both",)),
    Rule(name="of-shop", metadata={"status": "404"}, source="shop", category="missing"),
)  # fmt: skip
_MESSAGES = st.sampled_from(("GET {PATH} done", "{ID} errors, {ID} passed", "took {TIME} s"))


@given(
    st.lists(
        st.tuples(_METADATA, _MESSAGES, st.sampled_from(("shop", "api")), st.sampled_from(("", "INFO"))), max_size=12
    )
)
def test_records_together_are_classified_as_each_alone(
    logs: list[tuple[dict[str, Any], str, str, str]],
) -> None:
    together = [
        Record(pattern.replace("{ID}", "3"), level or "INFO", source, number, metadata,
               level_is_explicit=bool(level), pattern=pattern)
        for number, (metadata, pattern, source, level) in enumerate(logs)
    ]  # fmt: skip
    alone = [copy(record) for record in together]
    run_stage(ClassifyPlugin(Config(rules=_RULES)), together)
    plugin = ClassifyPlugin(Config(rules=_RULES))
    for record in alone:
        run_stage(plugin, [record])
    assert together == alone
