"""Records: metadata at any depth, sources, shared objects, and what a wrong configuration is told."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from log_aggregator import Record
from log_aggregator_dev import run_stage
from log_aggregator_redact import RedactPlugin
from log_aggregator_redact.config import Config
from log_aggregator_redact.metadata import is_secret_key
from log_aggregator_redact.words import words

from .planted import luhn, plant

CARD = luhn("411111111111111")
TEXTS = st.sampled_from(
    [secret.message for secret in plant(1)] + ["GET", "12ms", "a\nb", CARD, "hunter2", "Secret", "a=b"]
) | st.text(max_size=5)
KEYS = st.sampled_from(
    ["password", "status", "apiKey", "url", "headers", "next_token", "my dsn", "token=abcdef", "cookie", "kind", "data"]
) | st.text(max_size=4)
LEAVES = TEXTS | st.none() | st.booleans() | st.integers() | st.just(int(CARD)) | st.floats(allow_nan=False)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
METADATA = st.dictionaries(KEYS, VALUES, max_size=5)


def ingest(metadata: dict[str, Any], config: Config | None = None) -> dict[str, Any]:
    record = Record("m", "INFO", "web", 0, metadata)
    run_stage(RedactPlugin(config or Config()), [record])
    return record.metadata


@given(st.lists(METADATA, max_size=5))
def test_the_batch_way_is_the_direct_way_and_changes_nothing_given(batch: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(batch)
    records = [Record("m", "INFO", "web", 0, metadata) for metadata in batch]
    singles = [Record("m", "INFO", "web", 0, metadata) for metadata in batch]
    plugin = RedactPlugin(Config())
    run_stage(plugin, records)
    for single in singles:
        plugin.redact_record(single)
    assert [record.metadata for record in records] == [single.metadata for single in singles]
    assert batch == before


WARM = RedactPlugin(Config())
"""Has seen the keys of `FLAT` that hold no secret."""
run_stage(WARM, [Record("m", "INFO", "web", 0, dict.fromkeys(("user", "ms", "host", "n"), "x"))])

FLAT = st.dictionaries(
    st.sampled_from(["user", "ms", "host", "n", "password", "key", "name", "value"]),
    st.sampled_from(
        [1, 1.0, True, 1e15, 4111111111111111, 4111111111111111.0, 2**62, None, "web-1", "", "password=hunter2hunter"]
    )
    | st.integers(-5, 10**16)
    | st.text(max_size=8),
    max_size=4,
)


@given(st.lists(FLAT, max_size=6))
def test_flat_metadata_of_known_keys_is_judged_as_each_alone(batch: list[dict[str, Any]]) -> None:
    records = [Record("m", "INFO", "web", 0, metadata) for metadata in batch]
    run_stage(WARM, records)
    for record, metadata in zip(records, batch, strict=True):
        single = Record("m", "INFO", "web", 0, metadata)
        WARM.redact_record(single)
        assert repr(record.metadata) == repr(single.metadata)


@pytest.mark.parametrize("secret", plant(2), ids=lambda secret: secret.kind)
def test_secrets_are_found_inside_of_metadata(secret: Any) -> None:
    for metadata in ({"m": secret.message}, {"a": [{"b": secret.message}]}, {secret.message: 1}):
        assert not any(secret.secret[at : at + 6] in repr(ingest(metadata)) for at in range(len(secret.secret) - 5))


def test_values_of_secret_keys_are_masked_whole() -> None:
    assert ingest(
        {"password": "x", "dbPassword": 7, "X-Api-Key": ["a", "b"], "auth": {"client_secret": {"a": 1}, "realm": "r"},
         "token": None, "secret": True, "status": 200, "pin": 3, "user_id": "123", "ip": "10.0.1.50"}
    ) == {
        "password": "[redacted:key]", "dbPassword": "[redacted:key]", "X-Api-Key": "[redacted:key]",
        "auth": {"client_secret": "[redacted:key]", "realm": "r"}, "token": None, "secret": True, "status": 200,
        "pin": 3, "user_id": "123", "ip": "10.0.1.50",
    }  # fmt: skip


def test_card_numbers_that_were_sent_as_numbers() -> None:
    assert ingest({"pan": int(CARD), "id": int(CARD) + 1}) == {"pan": "[redacted:card]", "id": int(CARD) + 1}


@pytest.mark.parametrize(
    "key",
    ["PASSWORD", "user_password", "Authorization", "Set-Cookie", "aws_secret_access_key", "accessToken", "pwd2", "dsn"],
)
def test_keys_that_name_a_secret(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    ["key", "tokens", "max_tokens", "nextToken", "page_token", "password_changed_at", "keyboard", "author", "monkey",
     "token_type", "secretary", "passenger", "public_key", "session_id", "cache_key"],
)  # fmt: skip
def test_keys_that_do_not(key: str) -> None:
    assert not is_secret_key(key)


NAMES = [
    spelled
    for name in ("passwords", "short_passwords", "secrets", "short_secrets", "connections", "sessions")
    for word in words(name)
    for spelled in (word, word.upper(), f"db_{word}", f"my{word.title()}", f"{word}_prod", f"{word[:3]}-{word[3:]}")
]


def test_the_look_at_many_unknown_keys_misses_no_name() -> None:
    suspects = RedactPlugin(Config(keys=("badge",)))._suspects
    odd = ["ＰＡＳＳ", "pass\u200bword", "pass%77ord", "user[password]", "Badge", "spring.datasource.password"]
    names = [name for name in (*NAMES, *odd) if suspects.kind_of(name) is not None]
    assert len(names) > 500
    assert [name for name in names if not suspects._may_hold_names([name])] == []
    assert not suspects._may_hold_names(["user", "status", "url", "ms", "request_id", "host", "method"])


def test_keys_of_ones_own_and_keys_that_are_allowed() -> None:
    config = Config(keys=("Badge",), allow_keys=("Token",))
    assert ingest({"badge": "7", "token": "abc", "password": "x"}, config) == {
        "badge": "[redacted:key]", "token": "abc", "password": "[redacted:key]",
    }  # fmt: skip


def test_metadata_shared_by_records_is_replaced_not_changed() -> None:
    shared = {"password": "x"}
    records = [Record("a", "INFO", "web", 0, shared), Record("b", "INFO", "web", 0, shared)]
    run_stage(RedactPlugin(Config()), records)
    assert shared == {"password": "x"}
    assert [record.metadata for record in records] == [{"password": "[redacted:key]"}] * 2


def test_sources_are_masked_too() -> None:
    records = [Record("m", "INFO", source, 0, {}) for source in ("web", "redis://:hunter2@cache:6379", "token")]
    run_stage(RedactPlugin(Config()), records)
    assert [record.source for record in records] == ["web", "redis://:[redacted:url-password]@cache:6379", "token"]


@pytest.mark.parametrize(
    ("given_config", "said"),
    [
        ({"rules": [{"name": "x", "regex": "("}]}, "not a regular expression"),
        ({"rules": [{"name": "x", "regex": "a*"}]}, "empty text"),
        ({"rules": [{"name": "x", "regex": "a", "gate": ["A"]}]}, "lower-case"),
        ({"rules": [{"name": "x", "regex": "a", "gate": ["a7"]}]}, "0: any digit"),
        ({"off": ["passwords"]}, "expected one of"),
        ({"email": True}, "Extra inputs"),
    ],
)
def test_a_wrong_configuration_is_told_what_was_expected(given_config: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Config.model_validate(given_config)


def test_values_of_a_manifest_of_a_secret_are_masked_at_any_depth() -> None:
    manifest = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"conn": "YTpi"}, "stringData": {"x": "y"}}
    assert ingest({"object": manifest}) == {
        "object": {**manifest, "data": "[redacted:key]", "stringData": "[redacted:key]"}
    }
    other = {"kind": "ConfigMap", "data": {"conn": "YTpi"}}
    assert ingest({"object": other}) == {"object": other}


@pytest.mark.parametrize("value", ["lang=de; theme=dark", ["lang=de", "tz=Europe/Berlin"], {"lang": "de"}])
def test_cookies_that_are_settings_stay(value: Any) -> None:
    assert ingest({"Set-Cookie": value}) == {"Set-Cookie": value}


@pytest.mark.parametrize("value", ["lang=de; sid=a8Zk3", ["lang=de", "auth=letmein"], {"session": "a8Zk3"}, "a8Zk3"])
def test_cookies_that_may_hold_a_session_are_masked(value: Any) -> None:
    assert ingest({"Set-Cookie": value}) == {"Set-Cookie": "[redacted:key]"}


def test_a_name_that_is_spelled_like_a_scheme_and_a_token_is_no_name() -> None:
    assert ingest({"headers": [["Authorization", "Token mdTok02"]]})["headers"] == [["Authorization", "[redacted:key]"]]


@pytest.mark.parametrize("key", ["newValue", "old_value", "before", "string_value", "NEW"])
def test_values_of_changes_are_masked_beside_the_name_of_a_secret(key: str) -> None:
    assert ingest({"change": {"key": "smtp.password", key: "kelo"}}) == {
        "change": {"key": "smtp.password", key: "[redacted:key]"}
    }
    assert ingest({"change": {"key": "smtp.host", key: "kelo"}}) == {"change": {"key": "smtp.host", key: "kelo"}}
