"""Raw lines, JSON and NDJSON become the same logs."""

from __future__ import annotations

import json
import os
import threading

import pytest

from log_aggregator_service.sending.batches import batches
from log_aggregator_service.sending.source import guess, read_logs


def read(data: bytes, form="auto", **defaults):
    reader, writer = os.pipe()
    feeder = threading.Thread(target=lambda: (os.write(writer, data), os.close(writer)))
    feeder.start()
    try:
        return [log for log in read_logs(reader, form, defaults) if log is not None]
    finally:
        feeder.join()
        os.close(reader)


def bodies(logs):
    return [json.loads(log.body) for log in logs]


@pytest.mark.parametrize(
    ("line", "form"),
    [
        (b"2024-01-01 started", "raw"),
        (b"[2024-01-01 10:00] started", "raw"),
        (b"[error] {broken", "raw"),
        (b"[", "json"),
        (b"{", "json"),
        (b'[{"message": "a"},', "json"),
        (b'[{"message": "a"}]', "json"),
        (b'{"logs": [{"message": "a"}]}', "json"),
        (b'{"message": "a"}', "ndjson"),
        (b'{"message": "a", "logs": 3}', "ndjson"),
        (b'"text"', "raw"),
        (b"17", "raw"),
        (b"", "raw"),
    ],
)
def test_guesses_the_form_from_the_first_line(line, form):
    assert guess(line) == form


def test_raw_lines_keep_their_numbers_and_blank_ones_are_no_logs():
    logs = read(b"first\r\n\n   \nsecond \xe9\nlast", source="shop")
    assert bodies(logs) == [
        {"message": "first", "source": "shop"},
        {"message": "second \\xe9", "source": "shop"},
        {"message": "last", "source": "shop"},
    ]
    assert [log.number for log in logs] == [1, 4, 5]


def test_ndjson_is_passed_on_as_it_is():
    assert [log.body for log in read(b'{"message":"a"}\n  broken \n{"message": 1}')] == [
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
    assert logs[2].body == b"[1]"


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
    grouped = batches(read_logs(reader, "auto", {}), 1000)
    assert [log.number for log in next(grouped)] == [1, 2]
    os.write(writer, b"three\n")
    os.close(writer)
    assert [log.number for log in next(grouped)] == [3]
    assert next(grouped, None) is None
    os.close(reader)


def test_batches_are_full():
    sizes = [len(batch) for batch in batches(read(b"line\n" * 2500), 1000)]
    assert sizes == [1000, 1000, 500]
