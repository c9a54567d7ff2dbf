"""Requests that are wrong as HTTP: methods, paths, headers, framing."""

from __future__ import annotations

from tests.faults.case import Case, log
from tests.faults.wire import get, one, post

GOOD = log()

GONE = 0
"""The client ended the connection itself: nobody is there to be answered."""


def _raw(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("latin-1")


def _chunked(body: bytes) -> bytes:
    head = "POST /ingest HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n"
    return _raw(head) + body


HTTP_CASES = [
    Case("not HTTP", b"GARBAGE\r\n\r\n", 400, "not a valid HTTP request"),
    Case("binary", bytes(range(256)) + b"\r\n\r\n", 400, "not a valid HTTP request"),
    Case(
        "TLS hello to a plain port",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        400,
        "not a valid HTTP",
    ),
    Case("unknown version", b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", 400, "not a valid HTTP request"),
    Case("header without colon", _raw("GET /health HTTP/1.1\nHost: x\nNonsense\n\n"), 400, "not a valid HTTP request"),
    Case("space before colon", _raw("GET /health HTTP/1.1\nHost : x\n\n"), 400, "not a valid HTTP request"),
    Case("NUL in a header", _raw("GET /health HTTP/1.1\nHost: x\nX-A: a\0b\n\n"), 400, "not a valid HTTP request"),
    Case("line folding", _raw("GET /health HTTP/1.1\nHost: x\nX-A: a\n b\n\n"), 400, "not a valid HTTP request"),
    Case("header too long", get("/health", "X-A: " + "a" * 20_000), 400, "not a valid HTTP request"),
    Case("too many headers", get("/health", *[f"X-{i}: a" for i in range(500)]), 400, "not a valid HTTP request"),
    Case("target too long", get("/" + "a" * 20_000), 400, "not a valid HTTP request"),
    Case(
        "length not a number", _raw("POST /ingest HTTP/1.1\nHost: x\nContent-Length: ten\n\n"), 400, "not a valid HTTP"
    ),
    Case(
        "negative length",
        _raw("POST /ingest HTTP/1.1\nHost: x\nContent-Length: -1\n\n"),
        400,
        "not a valid HTTP request",
    ),
    Case(
        "length with sign",
        _raw("POST /ingest HTTP/1.1\nHost: x\nContent-Length: +5\n\n"),
        400,
        "not a valid HTTP request",
    ),
    Case(
        "two lengths (smuggling)",
        _raw("POST /ingest HTTP/1.1\nHost: x\nContent-Length: 5\nContent-Length: 6\n\n12345"),
        400,
        "not a valid HTTP request",
    ),
    Case(
        "length and chunks (smuggling)",
        _raw("POST /ingest HTTP/1.1\nHost: x\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n"),
        400,
        "not a valid HTTP request",
    ),
    Case(
        "unknown transfer encoding",
        _raw("POST /ingest HTTP/1.1\nHost: x\nTransfer-Encoding: gzip\n\n"),
        400,
        "",
    ),
    Case("chunk size not hex", _chunked(b"zz\r\nabc\r\n0\r\n\r\n"), 400, ""),
    Case("chunk size negative", _chunked(b"-5\r\nabc\r\n0\r\n\r\n"), 400, ""),
    Case("chunks that end early", _chunked(b'5\r\n{"mes\r\n'), GONE, half_close=True),
    Case("body that ends early", one(GOOD, length=500), GONE, half_close=True),
    Case("no such path", get("/nothing"), 404, "GET /docs"),
    Case("path with dots", get("/../../etc/passwd"), 404, "no such path"),
    Case("encoded path with dots", get("/%2e%2e/%2e%2e/etc/passwd"), 404, "no such path"),
    Case("path with NUL", get("/patterns/%00"), 404, ""),
    Case("path with broken escape", get("/patterns/%zz"), 404, ""),
    Case("trailing slash", post("/ingest/", GOOD), 404, "no such path"),
    Case("double slash", post("//ingest", GOOD), 404, ""),
    Case("GET where POST is meant", get("/ingest"), 405, "expected POST"),
    Case("POST where GET is meant", post("/patterns", "{}"), 405, "expected GET"),
    Case("PUT", b"PUT /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405, "expected POST"),
    Case("DELETE", b"DELETE /patterns/0123456789abcdef HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "expected GET"),
    Case("TRACE", b"TRACE /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "expected GET"),
    Case("CONNECT", b"CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, ""),
    Case("invented method", b"FETCH /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "not a valid HTTP"),
    Case(
        "preflight of another site",
        b"OPTIONS /ingest HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n",
        405,
        "",
    ),
    Case(
        "page of another site", one(GOOD, "Sec-Fetch-Site: cross-site", "Content-Type: text/plain"), 403, "another site"
    ),
    Case("unknown expectation", one(GOOD, "Expect: 200-ok"), 417, "100-continue"),
    Case("expectation with a length too large", one("", "Expect: 100-continue", length=10**12), 413, "at most"),
    Case("length too large", one("", length=10**12), 413, "at most"),
    Case("length beyond 64 bits", one("", length=10**30), 400, "not a valid HTTP request"),
    Case("upgrade to a websocket", one(GOOD, "Connection: Upgrade", "Upgrade: websocket"), 202, accepted=1),
    Case("upgrade to HTTP/2", one(GOOD, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"), 202, accepted=1),
    Case("no Host", _raw("GET /health HTTP/1.1\n\n"), 400, "Host"),
    Case("believed to be forwarded", one(GOOD, "X-Forwarded-For: 1.2.3.4, nonsense"), 202, accepted=1),
    Case("key too long", one(GOOD, "Idempotency-Key: " + "k" * 300), 400, "Idempotency-Key"),
    Case("key empty", one(GOOD, "Idempotency-Key: "), 400, "Idempotency-Key"),
    Case("key not ASCII", one(GOOD, "Idempotency-Key: schl\u00fcssel"), 400, "Idempotency-Key"),
]
