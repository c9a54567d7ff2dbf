"""The body of a delivery → what its records hold, each of them base64 and mostly gzip."""

from __future__ import annotations

import binascii
import zlib
from typing import Any

import msgspec
from aiohttp import web

from log_aggregator.http.receiving import Problem

_EXPECTED = 'expected {"requestId": "…", "timestamp": …, "records": [{"data": "<base64>"}, …]}'


class Delivery(msgspec.Struct):
    """A delivery whose records are plain; `broken` counts those that could not be read."""

    request_id: str
    records: list[bytes]
    broken: int = 0


_decode_sent = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.msgpack.Encoder()
_decode = msgspec.msgpack.Decoder(Delivery)


def unpack(_: web.Request, body: bytes, most: int) -> bytes:
    """A body → the same delivery, plain, for `plain`. Raises `Problem` 400, and 413 beyond `most` bytes."""
    try:
        document = _decode_sent.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(400, f"the body is not a delivery of Firehose; {_EXPECTED}") from None
    records, request_id = document.get("records"), document.get("requestId")
    if not isinstance(records, list) or not isinstance(request_id, str):
        raise Problem(400, f"records or requestId is missing; {_EXPECTED}")
    delivery = Delivery(request_id, [])
    room = most
    for record in records:
        data = record.get("data") if isinstance(record, dict) else None
        try:
            plain = _plain(binascii.a2b_base64(data, strict_mode=True), room) if isinstance(data, str) else None
        except (binascii.Error, ValueError, zlib.error):
            plain = None
        if plain is None:
            delivery.broken += 1
            continue
        room -= len(plain)
        delivery.records.append(plain)
    return _encode.encode(delivery)


def plain(body: bytes) -> Delivery:
    """What `unpack` made."""
    return _decode.decode(body)


def _plain(data: bytes, room: int) -> bytes | None:
    """Bytes without their gzip; `None` when that breaks off. Raises `Problem` 413 beyond `room`, and `zlib.error`."""
    if data[:2] != b"\x1f\x8b":
        if len(data) > room:
            raise _too_large()
        return data
    whole = b""
    while data:
        engine = zlib.decompressobj(31)
        whole += engine.decompress(data, room - len(whole) + 1)
        if len(whole) > room:
            raise _too_large()
        if not engine.eof:
            return None
        data = engine.unused_data
    return whole


def _too_large() -> Problem:
    return Problem(413, "the records are too large when decompressed: let Firehose buffer fewer of them")
