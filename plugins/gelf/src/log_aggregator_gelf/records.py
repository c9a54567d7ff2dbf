"""GELF messages → records."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from log_aggregator import Record
from log_aggregator.receivers import BadLogError, SentFields, record_of_text, with_stack

LARGEST = 4 * 1024 * 1024
"""Bytes of a message once it is decompressed."""

SOURCES = (
    "_service.name", "_service", "_service_name", "_app", "_application_name", "_container_name", "_logger",
    "facility", "_tag", "host",
)  # fmt: skip

_STANDARD = {"version", "host", "short_message", "full_message", "timestamp", "level"}
_DROPPED = {"_id"}  # the specification reserves it


def record_of(data: bytes) -> Record:
    """The record of one message, gzip, zlib or plain JSON. Raises `BadLogError`."""
    try:
        sent = msgspec.json.decode(_inflated(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadLogError("the message is not JSON") from None
    if not isinstance(sent, dict):
        raise BadLogError("the message is no JSON object")
    return record_of_object(sent)


def record_of_object(sent: dict[str, Any]) -> Record:
    """The record of a decoded message. Raises `BadLogError` when it has no text."""
    text = _text(sent)
    source, used = _source(sent)
    metadata = {
        key.removeprefix("_"): value
        for key, value in sent.items()
        if key not in _STANDARD and key not in _DROPPED and key != used
    }
    host = sent.get("host")
    if used != "host" and isinstance(host, str) and host:
        metadata.setdefault("host", host)
    if text[:1] != "{":
        text = with_stack(text, metadata)
    envelope = SentFields(metadata=metadata)
    defaults = SentFields()
    if source:
        envelope["source"] = source
    if sent.get("timestamp") is not None:
        envelope["timestamp"] = sent["timestamp"]
    if sent.get("level") is not None:
        # Docker's driver knows only the stream: 6 for stdout, 3 for stderr.
        target = defaults if "_container_id" in sent or "_container_name" in sent else envelope
        target["level"] = sent["level"]
    return record_of_text(text, envelope=envelope, defaults=defaults)


def _text(sent: dict[str, Any]) -> str:
    short, full = sent.get("short_message"), sent.get("full_message")
    short = short if isinstance(short, str) else "" if short is None else msgspec.json.encode(short).decode()
    if not isinstance(full, str) or not full.strip() or full.strip() == short.strip():
        return short
    if full.lstrip().startswith(short.strip()):
        return full
    if short.strip() and full.lstrip().startswith("{") and full.rstrip().endswith("}"):
        return short  # bunyan: the whole record once more, whose fields stand beside it
    return f"{short}\n{full}"


def _source(sent: dict[str, Any]) -> tuple[str, str]:
    """The source, and the field that it came from."""
    for field in SOURCES:
        value = sent.get(field)
        if isinstance(value, str) and value.strip("/ "):
            return value.lstrip("/"), field
    return "", ""


def _inflated(data: bytes) -> bytes:
    if data[:2] == b"\x1f\x8b":
        return _bounded(data, 31)
    if data[:1] == b"\x78" and len(data) > 2 and (data[0] * 256 + data[1]) % 31 == 0:
        return _bounded(data, 15)
    return data.strip(b"\0 \r\n")


def _bounded(data: bytes, window: int) -> bytes:
    engine = zlib.decompressobj(window)
    try:
        whole = engine.decompress(data, LARGEST)
    except zlib.error:
        raise BadLogError("the message is compressed, but broken") from None
    if engine.unconsumed_tail or not engine.eof:
        raise BadLogError(f"the message is broken off, or larger than {LARGEST} bytes")
    return whole
