"""Raw lines, JSON and NDJSON become the same logs."""

from __future__ import annotations

import json
import os
import threading

import pytest

from log_aggregator_reader import Input
from log_aggregator_service.sending.batches import batches
from log_aggregator_service.sending.form import Form
from log_aggregator_service.sending.source import is_document, read_logs


def read(data: bytes, **form):
    reader, writer = os.pipe()
    feeder = threading.Thread(target=lambda: (os.write(writer, data), os.close(writer)))
    feeder.start()
    try:
        return [log for log in read_logs(Input(reader), Form(**form)) if log is not None]
    finally:
        feeder.join()
        os.close(reader)


def bodies(logs):
    return [json.loads(log.body) for log in logs]


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        (b"2024-01-01 started", False),
        (b"[2024-01-01 10:00] started", False),
        (b"[error] {broken", False),
        (b"[", True),
        (b"{", True),
        (b'[{"message": "a"},', True),
        (b'[{"message": "a"}]', True),
        (b'{"logs": [{"message": "a"}]}', True),
        (b'{"message": "a"}', False),
        (b'{"message": "a", "logs": 3}', False),
        (b'"text"', False),
        (b"17", False),
        (b"", False),
    ],
)
def test_the_first_line_says_whether_it_is_a_document(line, is_one):
    assert is_document(line) == is_one


def test_raw_lines_keep_their_numbers_and_blank_ones_are_no_logs():
    logs = read(b"first\r\n\n   \nsecond \xe9\nlast", source="shop")
    assert bodies(logs) == [
        {"message": "first", "source": "shop"},
        {"message": "second \\xe9", "source": "shop"},
        {"message": "last", "source": "shop"},
    ]
    assert [log.place for log in logs] == ["line 1", "line 4", "line 5"]


def test_ndjson_is_passed_on_as_it_is():
    assert [log.body for log in read(b'{"message":"a"}\nbroken \n{"message": 1}', format="ndjson")] == [
        b'{"message":"a"}',
        b"broken",
        b'{"message": 1}',
    ]


def test_defaults_do_not_replace_what_a_log_says():
    logs = read(b'{"message":"a","source":"own"}\n{"message":"b"}\n[1]\n', source="shop", level="WARN")
    assert bodies(logs[:2]) == [
        {"message": "a", "source": "own", "level": "WARN"},
        {"message": "b", "source": "shop", "level": "WARN"},
    ]
    assert bodies(logs[2:]) == [{"message": "[1]", "source": "shop", "level": "WARN"}]


def test_a_level_or_source_under_another_name_is_its_own():
    logs = read(b'{"msg":"a","severity":"err","service":{"name":"x"}}\n{"msg":"b"}\n', source="shop", level="WARN")
    assert bodies(logs) == [
        {"msg": "a", "severity": "err", "service": {"name": "x"}},
        {"msg": "b", "source": "shop", "level": "WARN"},
    ]


def test_text_and_objects_may_take_turns():
    assert bodies(read(b'plain\n{"message": "a"}\nTraceback (most recent call last):\n  File x\nKeyError: 1\n')) == [
        {"message": "plain"},
        {"message": "a"},
        {"message": "Traceback (most recent call last):\n  File x\nKeyError: 1"},
    ]


def test_pretty_printed_objects_one_behind_the_other():
    text = "\n".join(json.dumps({"message": name}, indent=2) for name in "ab").encode()
    assert bodies(read(text)) == [{"message": "a"}, {"message": "b"}]


def test_a_line_of_docker_has_its_time_and_stream():
    line = json.dumps({"log": "hello\n", "stream": "stderr", "time": "2026-11-30T10:00:00Z"}).encode()
    assert bodies(read(line)) == [
        {"message": "hello", "timestamp": "2026-11-30T10:00:00Z", "metadata": {"stream": "stderr"}}
    ]


@pytest.mark.parametrize(
    "document",
    ['{"logs": [{"message": "a"}, {"message": "b"}]}', '[{"message": "a"}, {"message": "b"}]'],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_document_in_each_of_its_forms(document, indent):
    text = json.dumps(json.loads(document), indent=indent).encode()
    logs = read(text)
    assert bodies(logs) == [{"message": "a"}, {"message": "b"}]
    assert logs[-1].read == len(text)
    assert b"\n" not in logs[0].body


def test_a_single_pretty_log():
    assert bodies(read(b'{\n  "message": "a"\n}\n')) == [{"message": "a"}]


def test_a_broken_document_is_named():
    with pytest.raises(ValueError, match="not a JSON document"):
        read(b'[\n{"message": "a"\n')


def test_a_line_longer_than_a_read():
    long = b"x" * 3_000_000
    assert [len(body["message"]) for body in bodies(read(long + b"\nend\n"))] == [len(long), 3]


def test_what_has_come_goes_on_when_the_input_pauses():
    reader, writer = os.pipe()
    os.write(writer, b"one\ntwo\n")
    grouped = batches(read_logs(Input(reader), Form()), 1000)
    assert [log.place for log in next(grouped)] == ["line 1", "line 2"]
    os.write(writer, b"three\n")
    os.close(writer)
    assert [log.place for log in next(grouped)] == ["line 3"]
    assert next(grouped, None) is None
    os.close(reader)


def test_batches_are_full():
    sizes = [len(batch) for batch in batches(read(b"line\n" * 2500), 1000)]
    assert sizes == [1000, 1000, 500]
