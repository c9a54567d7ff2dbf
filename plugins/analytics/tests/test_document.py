"""Documents match the schema, are complete, and are split deterministically."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from log_aggregator.sinks import Flush
from log_aggregator_analytics.document import Piece, cut_piece
from log_aggregator_analytics.trends import Trend
from plugins.analytics.tests.factories import SCHEMA, VALIDATOR, aggregate, alias, anomaly, flush, rich_aggregate

PLENTY = 1 << 20
DOCS = Path(__file__).parents[3] / "docs/reference/analytics-batch.schema.json"


def document(piece: Piece) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(piece.body)
    VALIDATOR.validate(decoded)
    return decoded


def pieces(whole: Flush, max_bytes: int) -> list[Piece]:
    found, start, last = [], 0, False
    while not last:
        piece = cut_piece(whole, [None] * len(whole.aggregates), start, max_bytes)
        found.append(piece)
        start, last = piece.end, piece.last
    return found


def test_the_schema_is_valid_and_the_docs_show_the_same() -> None:
    VALIDATOR.check_schema(SCHEMA)
    assert json.loads(DOCS.read_text()) == SCHEMA


def test_a_document_has_all_fields() -> None:
    shown = document(
        cut_piece(flush(rich_aggregate(), anomalies=(anomaly(),), aliases=(alias(),)), [Trend(100, 80)], 0, PLENTY)
    )
    assert shown["batch"] == {
        "id": "abc-feed-1", "key": "abc-feed-1", "instance": "abc", "epoch": "feed", "sequence": 1,
        "logs": 100, "first_item": 0, "items": 3, "last": True,
    }  # fmt: skip
    assert shown["window"] == {"opened": "2027-01-15T08:00:00.000000Z", "sealed": "2027-01-15T08:00:01.000000Z"}
    (group,) = shown["aggregates"]
    assert (group["pattern"], group["count"], group["group"]) == ("User {ID} logged in", 100, {"tenant": "blue"})
    assert (group["category"], group["tags"], group["samples"][0]) == ("security", {"login": 100}, "User 1 logged in")
    assert (group["metadata"]["user"]["count"], group["metadata"]["took"]["numbers"]["unit"]) == (100, "s")
    (trend,) = shown["trends"]
    assert (trend["count"], trend["previous_count"], trend["pattern_id"]) == (100, 80, group["pattern_id"])
    assert (shown["anomalies"][0]["details"]["seen"], shown["anomalies"][0]["resolved"]) == (40, None)
    assert shown["aliases"][0]["pattern"] == "User {NAME} logged in"


def test_fields_that_only_serve_merging_are_not_sent() -> None:
    text = cut_piece(flush(rich_aggregate()), [None], 0, PLENTY).body
    assert b'"state":{' not in text
    assert b'"bins"' not in text


def test_the_schema_rejects_an_invalid_count() -> None:
    shown = document(cut_piece(flush(aggregate()), [None], 0, PLENTY))
    shown["aggregates"][0]["count"] = 0
    with pytest.raises(ValidationError):
        VALIDATOR.validate(shown)


@pytest.mark.parametrize("empty", [flush(), flush(anomalies=(anomaly(resolved=5, state="resolved"),))])
def test_a_flush_without_aggregates_is_a_valid_document(empty: Flush) -> None:
    assert document(cut_piece(empty, [], 0, PLENTY))["batch"]["last"]


def test_the_pieces_of_a_large_flush_are_complete_and_ordered() -> None:
    whole = flush(
        *(aggregate(f"pattern {number} {'x' * 300}") for number in range(200)),
        anomalies=tuple(anomaly(id=f"a{number}") for number in range(50)),
        aliases=(alias(),) * 20,
    )
    cut = pieces(whole, 16_384)
    shown = [document(piece) for piece in cut]
    assert len(cut) > 5
    assert all(len(piece.body) < 16_384 + 1024 for piece in cut)
    assert [group["pattern"] for one in shown for group in one["aggregates"]] == [a.pattern for a in whole.aggregates]
    assert [one["id"] for each in shown for one in each["anomalies"]] == [f"a{number}" for number in range(50)]
    assert sum(len(one["aliases"]) for one in shown) == 20
    assert [one["batch"]["last"] for one in shown] == [False] * (len(cut) - 1) + [True]
    ends = [one["batch"]["first_item"] + one["batch"]["items"] for one in shown]
    assert [one["batch"]["first_item"] for one in shown] == [0, *ends[:-1]]
    assert len({piece.key for piece in cut}) == len(cut)
    assert all(piece.key.startswith("abc-feed-1.") for piece in cut)


def test_splitting_is_deterministic() -> None:
    whole = flush(*(aggregate(f"pattern {number} {'x' * 300}") for number in range(200)))
    assert pieces(whole, 16_384) == pieces(whole, 16_384)


def test_an_item_larger_than_the_bound_is_a_piece_of_its_own() -> None:
    whole = flush(aggregate("a"), aggregate("b" * 100_000), aggregate("c"))
    assert [len(document(piece)["aggregates"]) for piece in pieces(whole, 16_384)] == [1, 1, 1]


def test_equal_keys_have_equal_contents_under_another_bound() -> None:
    """A key never identifies two contents, even when the bound changes while a flush is pending."""
    whole = flush(*(aggregate(f"pattern {number} {'x' * 300}") for number in range(200)))
    contents = {piece.key: piece.body for piece in pieces(whole, 16_384)}
    assert all(contents.get(piece.key, piece.body) == piece.body for piece in pieces(whole, 20_000))


def test_a_lone_surrogate_is_replaced() -> None:
    shown = document(cut_piece(flush(aggregate("bad \ud800 text"), aggregate("good")), [None, None], 0, PLENTY))
    assert [group["pattern"] for group in shown["aggregates"]] == ["bad ? text", "good"]
