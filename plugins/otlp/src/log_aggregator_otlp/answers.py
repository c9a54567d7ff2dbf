"""What OTLP's clients are answered, in the form that they sent."""

from __future__ import annotations

import msgspec
from aiohttp import hdrs, web
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from log_aggregator.http.receiving import Problem, SentBody, Taken

PROTOBUF, JSON = "application/x-protobuf", "application/json"

_CODES = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 422: 3, 429: 8, 503: 14}
"""google.rpc.Code by HTTP status; 2 is "unknown"."""

_SHOWN = 3


def is_json(request: web.Request, body: bytes = b"") -> bool:
    """Whether a request is JSON. The body decides where there is one: protobuf cannot begin with a brace."""
    begins = body[:64].lstrip()[:1]
    return begins == b"{" if begins else "json" in request.headers.get(hdrs.CONTENT_TYPE, "").lower()


def answer(sent: SentBody, taken: Taken) -> web.Response:
    """200, with how many logs were rejected and why. Clients do not send them again."""
    rejected = len(taken.rejected)
    reasons = "; ".join(dict.fromkeys(f"log {index}: {why}" for index, why in taken.rejected[:_SHOWN]))
    if is_json(sent.request, sent.body):
        partial = {"rejectedLogRecords": str(rejected), "errorMessage": reasons}
        return _json({"partialSuccess": partial} if rejected else {}, 200)
    response = ExportLogsServiceResponse()
    if rejected:
        response.partial_success.rejected_log_records = rejected
        response.partial_success.error_message = reasons
    return web.Response(body=response.SerializeToString(), content_type=PROTOBUF)


def refuse(request: web.Request, problem: Problem) -> web.Response:
    """A google.rpc.Status. Clients send again after 429, 502, 503 and 504 only."""
    code = _CODES.get(problem.status, 2)
    if is_json(request):
        return _json({"code": code, "message": problem.detail}, problem.status)
    text = problem.detail.encode("utf-8", "replace")
    return web.Response(body=b"\x08%c\x12" % code + _length(text) + text, status=problem.status, content_type=PROTOBUF)


def _json(document: dict[str, object], status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), status=status, content_type=JSON)


def _length(text: bytes) -> bytes:
    """A length as protobuf writes it."""
    length, written = len(text), b""
    while length > 127:
        written += bytes([length & 127 | 128])
        length >>= 7
    return written + bytes([length])
