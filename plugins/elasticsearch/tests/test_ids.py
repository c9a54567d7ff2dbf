"""Ids of documents that are remembered: within bounds, and in the journal."""

from __future__ import annotations

import pytest

from log_aggregator_elasticsearch import ids, pages


class Kept:
    """Positions, as the journal keeps them."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def store(self, stored: ids.StoredIds, *numbers: int, request: int = 1) -> None:
        page, block = stored.keep(request, [(number, number % 7) for number in numbers])
        self.values[page.name] = page.written
        stored.settle(page, block)


def test_ids_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "KEPT", 10)
    kept, stored = Kept(), ids.StoredIds(lambda _: None)
    for number in range(25):
        kept.store(stored, number)
    assert [number for number in range(25) if stored.has(number, 2)] == list(range(15, 25))
    assert not stored.has(24, 1), "the same request again is recognised as a whole"
    assert stored.has(24, 2, 3)
    assert not stored.has(24, 2, 4), "another document under the same id"
    monkeypatch.setattr(ids, "SECONDS", -1.0)
    assert not stored.has(24, 2)


def test_what_is_kept_in_the_journal_is_read_again_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, stored = Kept(), ids.StoredIds(lambda _: None)
    first, one = stored.keep(1, [(1, 1)])
    second, _ = stored.keep(2, [(2, 2)])
    assert first.name != second.name, "a page that is being written is given to no other request"
    stored.settle(second, None)
    kept.values[first.name] = first.written
    stored.settle(first, one)
    for number in range(10, 1510):
        kept.store(stored, number, request=number)
    kept.store(stored, *range(10_000, 20_000), request=3)
    assert max(map(len, kept.values.values())) <= pages.LARGEST
    assert len(kept.values) < 10
    known = {number for number in (1, 2, *range(10, 1510), *range(10_000, 20_000)) if stored.has(number, 9)}
    assert known == {1, *range(10, 1510), *range(10_000, 10_000 + pages.MOST)}
    again = ids.StoredIds(kept.values.get)
    assert {number for number in range(20_000) if again.has(number, 9)} == known
    assert not again.has(10, 10), "and with which request it came"
    assert not ids.StoredIds(lambda name: kept.values.get(name, b"")[:-3]).has(1509, 9)
    ahead = pages.time.time() + 2 * pages.SECONDS
    monkeypatch.setattr(ids.time, "time", lambda: ahead)
    assert not ids.StoredIds(kept.values.get).has(1509, 9)


def test_pages_go_round() -> None:
    kept, stored = Kept(), ids.StoredIds(lambda _: None)
    for number in range(2 * pages.PAGES):
        kept.store(stored, *range(number * pages.PAGE, (number + 1) * pages.PAGE), request=number)
    assert len(kept.values) == pages.PAGES
