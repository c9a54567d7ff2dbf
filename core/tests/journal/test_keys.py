"""Idempotency keys: whose they are counts, and those made of bodies never push out those that clients chose."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from log_aggregator.journal.database import open_journal
from log_aggregator.journal.keys import (
    AUTOMATIC_LIFETIME,
    CLIENT_LIFETIME,
    Keys,
    Known,
    automatic_key,
    client_key,
)

NOW = 1_800_000_000
KNOWN = Known(b"digest", 3)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    journal = open_journal(tmp_path)
    yield journal.connection
    journal.connection.close()
    journal.lock.close()


def count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_the_same_key_of_another_owner_or_path_is_another_key() -> None:
    keys = {
        client_key("a", "/ingest", "k"),
        client_key("b", "/ingest", "k"),
        client_key("a", "/ingest/batch", "k"),
        client_key("a", "/ingest", "l"),
        client_key("a/", "ingest", "k"),  # the parts are told apart
        client_key("", "/ingest", "k"),
        automatic_key("a", "/ingest", b"k"),
    }
    assert len(keys) == 7
    assert client_key("a", "/ingest", "k") == client_key("a", "/ingest", "k")
    assert "secret" not in client_key("secret", "/secret", "secret")


@pytest.mark.parametrize(
    ("key", "lifetime"),
    [(client_key("a", "/", "k"), CLIENT_LIFETIME), (automatic_key("a", "/", b"body"), AUTOMATIC_LIFETIME)],
    ids=["client", "automatic"],
)
def test_a_key_is_known_for_its_time_and_then_anew(connection: sqlite3.Connection, key: str, lifetime: int) -> None:
    keys = Keys(100)
    assert keys.find(connection, key, NOW) is None
    keys.remember(connection, key, KNOWN, NOW)
    assert keys.find(connection, key, NOW + lifetime) == KNOWN
    assert keys.find(connection, key, NOW + lifetime + 1) is None
    keys.remember(connection, key, Known(b"other", 1), NOW + lifetime + 1)
    assert keys.find(connection, key, NOW + lifetime + 1) == Known(b"other", 1)


def test_automatic_keys_are_bounded_and_never_evict_those_of_clients(connection: sqlite3.Connection) -> None:
    keys = Keys(500)
    chosen = client_key("a", "/", "chosen")
    keys.remember(connection, chosen, KNOWN, NOW)
    for number in range(3000):
        keys.remember(connection, automatic_key("a", "/", b"%d" % number), KNOWN, NOW)
    assert keys.find(connection, chosen, NOW) == KNOWN
    assert keys.find(connection, automatic_key("a", "/", b"2999"), NOW) == KNOWN
    assert count(connection, "automatic_keys") <= 1500


def test_keys_whose_time_is_over_are_deleted(connection: sqlite3.Connection) -> None:
    keys = Keys(10_000)
    for number in range(999):
        keys.remember(connection, automatic_key("a", "/", b"%d" % number), KNOWN, NOW)
    keys.remember(connection, automatic_key("a", "/", b"last"), KNOWN, NOW + AUTOMATIC_LIFETIME + 1)
    assert count(connection, "automatic_keys") == 1
