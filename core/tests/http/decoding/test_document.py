"""What a body is, whatever its type says: one JSON value, values in a row, JSON lines, or lines of text."""

from __future__ import annotations

import json

import pytest

from log_aggregator.http.decoding.decode import BodyDecoder
from log_aggregator.http.decoding.media import ContentTypes
from log_aggregator.http.problem import Problem
from log_aggregator.model.fields.limits import Limits

NOW = 1_795_465_413_000_000
DECODER = BodyDecoder(Limits(records=50))
TYPES = [
    "application/json",
    "application/x-ndjson",
    "text/plain",
    "application/x-www-form-urlencoded",
    None,
    "nonsense",
]
LOGS = [{"message": "User 1", "metadata": {"a": {"b": 1}}}, {"message": "User 2", "level": "WARN"}]


def messages(body: str | bytes, content_type: str | None = None) -> list[str]:
    media = ContentTypes().check(content_type)
    raw = media.text(body.encode() if isinstance(body, str) else body)
    decoded = DECODER.many(raw, media.is_lines, NOW, is_json=media.is_json)
    assert not decoded.rejected, decoded.rejected
    return [record.message for record in decoded.records]


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize(
    "form",
    [
        json.dumps(LOGS),
        json.dumps(LOGS, indent=2),
        json.dumps({"logs": LOGS}, indent=4),
        "\n".join(map(json.dumps, LOGS)),
        "\r\n\r\n".join(map(json.dumps, LOGS)) + "\r\n",
        "\n".join(json.dumps(log, indent=2) for log in LOGS),
        "".join(map(json.dumps, LOGS)),
        "\ufeff" + json.dumps(LOGS),
    ],
)
def test_json_in_every_form_is_json_under_every_type(form: str, content_type: str | None) -> None:
    assert messages(form, content_type) == ["User 1", "User 2"]


@pytest.mark.parametrize("content_type", TYPES)
def test_one_pretty_printed_log_is_one_log(content_type: str | None) -> None:
    assert messages(json.dumps(LOGS[0], indent=2), content_type) == ["User 1"]


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("User 1 logged in", ["User 1 logged in"]),
        ("one\n\n  \ntwo\r\n three\n", ["one", "two", " three"]),
        ("[2026-11-30 10:00] started\n[error] broken", ["[2026-11-30 10:00] started", "[error] broken"]),
        ("a\u2028b\x0cc\nd", ["a\u2028b\ufffdc", "d"]),
        ("1.10", ["1.10"]),
        ("17\n1e5", ["17", "1e5"]),
        ('"quoted"', ["quoted"]),
        ('text\n{"message": "json"}\ntext', ["text", "json", "text"]),
        ("<a>\n</a>", ["<a>", "</a>"]),
    ],
)
def test_everything_else_is_lines(body: str, found: list[str], content_type: str | None) -> None:
    assert messages(body, content_type) == found


@pytest.mark.parametrize(
    "body", ['{"message": "cut of', "{'message': 'a'}", '[{"message": "a"},', '{"message": "a"} x']
)
def test_broken_json_is_an_error_only_where_json_was_announced(body: str) -> None:
    with pytest.raises(Problem, match="not JSON") as caught:
        DECODER.many(body.encode(), False, NOW, is_json=True)
    assert caught.value.status == 400
    assert messages(body, "text/plain") == [body]


def test_a_broken_line_of_ndjson_is_named() -> None:
    decoded = DECODER.many(b'{"message": "a"}\n{broken\ntext', True, NOW)
    assert [record.message for record in decoded.records] == ["a", "text"]
    assert [index for index, _ in decoded.rejected] == [1]


def test_texts_in_a_list_are_messages() -> None:
    assert messages('["a", {"message": "b"}]') == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("é 1".encode("utf-16"), None),
        (b"\xe9 1", "text/plain; charset=ISO-8859-1"),
        ("é 1".encode(), "text/plain; charset=ISO-8859-1"),
        ("é 1".encode("utf-16-le"), "text/plain; charset=utf-16le"),
    ],
)
def test_a_charset_is_believed_only_where_the_body_is_not_utf_8(body: bytes, content_type: str | None) -> None:
    assert messages(body, content_type) == ["é 1"]


def test_too_many_are_refused_in_every_form() -> None:
    for body in (json.dumps(LOGS * 26), "text\n" * 51, '{"message":\n"a"}' * 51):
        with pytest.raises(Problem) as caught:
            DECODER.many(body.encode(), False, NOW, is_json=False)
        assert caught.value.status == 413
