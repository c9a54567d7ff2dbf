"""Requests whose body is wrong: its type, its encoding, its size, its JSON."""

from __future__ import annotations

import gzip
import json
import zlib

import zstandard

from tests.faults.case import Case, log, refused
from tests.faults.wire import batch, one

GOOD = log()
PACKED = gzip.compress(GOOD.encode())
ZSTD = zstandard.ZstdCompressor(write_checksum=True).compress(GOOD.encode())
HUGE_WINDOW = b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"
ZEROS = b'{"message":"' + b"0" * 80_000_000 + b'"}'
MANY = b"[" + b"[]," * 1_500_000 + b"[]]"
DEEP = "[" * 100_000


def _encoded(name: str, data: bytes, encoding: str, status: int, says: str = "", **more: int) -> Case:
    return Case(name, one(data, f"Content-Encoding: {encoding}"), status, says, **more)


def _typed(name: str, header: str, status: int, says: str = "") -> Case:
    return Case(name, one(GOOD, f"Content-Type: {header}"), status, says)


BODY_CASES = [
    refused("empty body", "", 400, "the body is empty"),
    refused("only spaces", " \r\n\t ", 400, "the body is empty"),
    refused("JSON cut off", '{"message": "abc', 400, "not JSON"),
    refused("JSON with something after it", '{"message": "abc"} x', 400, "not JSON"),
    refused("single quotes", "{'message': 'abc'}", 400, "not JSON"),
    refused("trailing comma", '{"message": "abc",}', 400, "not JSON"),
    refused("a comment", '{"message": "abc"} // why', 400, "not JSON"),
    refused("nested too deep", DEEP, 400, "nested too deep"),
    refused("metadata nested too deep", '{"message": "a", "metadata": {"a": ' + DEEP, 400, "nested too deep"),
    refused(
        "a number with too many digits", '{"message": "a", "metadata": {"a": ' + "9" * 10_000 + "}}", 400, "digits"
    ),
    refused("null", "null", 422, "expected an object"),
    _typed("multipart", "multipart/form-data; boundary=x", 415, "application/json"),
    _typed("image", "image/png", 415, "application/json"),
    _typed("invented charset", "application/json; charset=klingon", 415, "UTF-8"),
    _typed("a codec that is no charset", "text/plain; charset=base64", 415, "UTF-8"),
    _encoded("unknown encoding", PACKED, "br", 415, "gzip"),
    _encoded("invented encoding", PACKED, "nonsense", 415, "gzip"),
    _encoded("doubled encoding", gzip.compress(PACKED), "gzip, gzip", 415, "several"),
    _encoded("two encodings", PACKED, "identity, gzip", 415, "several"),
    Case("two encoding headers", one(PACKED, "Content-Encoding: gzip", "Content-Encoding: gzip"), 415, "several"),
    _encoded("plain body said to be gzip", GOOD.encode(), "gzip", 400, "broken"),
    _encoded("empty gzip", b"", "gzip", 400, "broken"),
    _encoded("truncated gzip", PACKED[:-12], "gzip", 400, "truncated"),
    _encoded("gzip without its checksum", PACKED[:-4], "gzip", 400, "truncated"),
    _encoded("only a gzip header", PACKED[:10], "gzip", 400, "truncated"),
    _encoded("gzip with a wrong checksum", PACKED[:-8] + bytes(8), "gzip", 400, "broken"),
    _encoded("gzip with noise inside", PACKED[:14] + b"\xff" * 8 + PACKED[22:], "gzip", 400, "broken"),
    _encoded("gzip with noise after it", PACKED + b"noise", "gzip", 400, "broken"),
    _encoded("gzip of broken JSON", gzip.compress(b"{abc"), "gzip", 400, "not JSON"),
    _encoded("truncated deflate", zlib.compress(GOOD.encode())[:-5], "deflate", 400, "truncated"),
    _encoded("broken deflate", b"\x78\x9c" + b"\xff" * 20, "deflate", 400, "broken"),
    _encoded("deflate with noise after it", zlib.compress(GOOD.encode()) + b"noise", "deflate", 400, "broken"),
    _encoded("truncated zstd", ZSTD[:-6], "zstd", 400, "truncated"),
    _encoded("zstd without its checksum", ZSTD[:-4], "zstd", 400, "truncated"),
    _encoded("zstd with a wrong checksum", ZSTD[:-4] + bytes(4), "zstd", 400, "broken"),
    _encoded("plain body said to be zstd", GOOD.encode(), "zstd", 400, "broken"),
    _encoded("empty zstd", b"", "zstd", 400, "broken"),
    _encoded("gzip bomb", gzip.compress(ZEROS, 9), "gzip", 413, "times"),
    _encoded("bomb of many gzip members", gzip.compress(bytes(4096), 9) * 20_000, "gzip", 400, "too much"),
    _encoded("deflate bomb", zlib.compress(ZEROS, 9), "deflate", 413, "times"),
    _encoded("zstd bomb", zstandard.ZstdCompressor().compress(ZEROS), "zstd", 413, "times"),
    _encoded("zstd with a window of 2 GiB", HUGE_WINDOW, "zstd", 400, "broken"),
    Case("body larger than allowed", one(b" " * 17 * 1024 * 1024), 413, "at most"),
    Case("millions of values", batch(MANY), 413, "values"),
    Case("too many logs", batch("[" + ",".join(['{"message":"a"}'] * 50_001) + "]"), 413, "at most 50000"),
    Case(
        "too many lines",
        batch('{"message":"a"}\n' * 50_001, "Content-Type: application/x-ndjson"),
        413,
        "at most 50000",
    ),
    Case("empty batch", batch('{"logs": []}'), 422, "no logs"),
    Case("empty list", batch("[]"), 422, "no logs"),
    Case("empty lines", batch("\n\n\n", "Content-Type: application/x-ndjson"), 422, "no logs"),
    Case("logs are no list", batch('{"logs": {"message": "a"}}'), 422, "expected a list"),
    Case("a batch of numbers", batch("[1, 2, 3]"), 422, "none of the 3 logs"),
    Case("a batch of null", batch('{"logs": null}'), 422, "expected a list"),
    Case("lines of broken JSON", batch("{abc\n{def\n", "Content-Type: application/x-ndjson"), 422, "not JSON"),
    Case(
        "one bad line",
        batch(GOOD + "\n{broken\n" + GOOD, "Content-Type: application/x-ndjson"),
        202,
        "not JSON",
        accepted=2,
    ),
    Case(
        "one bad log of three",
        batch(json.dumps([{"message": "a"}, {"level": "INFO"}, {"message": "c"}])),
        202,
        "missing",
        2,
    ),
    *(
        Case(name, one(body, *header), 202, accepted=accepted)
        for name, body, accepted, *header in (
            ("text in place of JSON", "User 123 logged in", 1),
            ("an XML document", "<log><message>abc</message></log>", 1),
            ("UTF-16", GOOD.encode("utf-16"), 1),
            ("a list where one log is meant", "[" + GOOD + "," + GOOD + "]", 2),
            ("a batch where one log is meant", '{"logs": [' + GOOD + "]}", 1),
            ("a number", "42", 1),
            ("a text", '"abc"', 1),
            ("XML type", GOOD, 1, "Content-Type: application/xml"),
            ("invented type", GOOD, 1, "Content-Type: nonsense"),
            ("another charset than it says", GOOD, 1, "Content-Type: application/json; charset=utf-16"),
            ("empty type with charset", GOOD, 1, "Content-Type: ; charset=latin-1"),
            ("lines of text that say they are NDJSON", "abc\n\ndef\n", 2, "Content-Type: application/x-ndjson"),
        )
    ),
]
