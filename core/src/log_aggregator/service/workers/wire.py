"""What workers send each other: requests with an Idempotency-Key, and errors as statuses."""

from __future__ import annotations

import msgspec

from log_aggregator.errors import FencedError, KeyReusedError, LogAggregatorError, OverloadedError, Reject
from log_aggregator.journal import decode, encode
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import Link, SentAggregates

ERRORS: dict[int, type[LogAggregatorError]] = {
    409: KeyReusedError,
    412: FencedError,
    422: Reject,
    503: OverloadedError,
}
"""Why a worker accepted nothing, by HTTP status."""

_request_decoder = msgspec.msgpack.Decoder(tuple[str, bytes, bytes])
_encoder = msgspec.msgpack.Encoder()
_aggregates_decoder = msgspec.msgpack.Decoder(tuple[str, SentAggregates, Link])


def encode_request(records: list[Record], key: str, digest: bytes) -> bytes:
    """The body of `POST /submit`."""
    return _encoder.encode((key, digest, encode(records)))


def decode_request(body: bytes) -> tuple[list[Record], str, bytes]:
    """Records, key and digest of `POST /submit`."""
    key, digest, payload = _request_decoder.decode(body)
    return decode(payload), key, digest


def encode_aggregates_request(plugin: str, sent: SentAggregates, link: Link) -> bytes:
    """The body of `POST /submit-aggregates`."""
    return _encoder.encode((plugin, sent, link))


def decode_aggregates_request(body: bytes) -> tuple[str, SentAggregates, Link]:
    """Plugin, aggregates and link of `POST /submit-aggregates`."""
    return _aggregates_decoder.decode(body)


def status_of(error: BaseException) -> int:
    """The status under which `ERRORS` finds an error's class."""
    return next(status for status, known in ERRORS.items() if isinstance(error, known))
