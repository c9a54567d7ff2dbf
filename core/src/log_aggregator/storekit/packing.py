"""How the details of old rows are packed: JSON, deflated with a dictionary of what every such text holds."""

from __future__ import annotations

import zlib

from log_aggregator.model.aggregate import Aggregate
from log_aggregator.storekit.compact import from_compact, to_compact
from log_aggregator.storekit.poison import pack_aggregate, unpack_aggregate

_PLAIN, _COMPACT = b"\x01", b"\x02"
_WINDOW = -15
_MOST_BYTES = 8 * 1024 * 1024

# Both are part of their form: a change makes what was packed before unreadable. The most frequent texts stand last.
_DICTIONARY = (
    b'"request_id": "trace_id": "user_id": "session": "duration": "bytes": "status": "path": "method": "host": "ip": '
    b'"region": "version": "error": "code": "POST" "GET" "/api/" "true" "false" "200": "404": "500": node- service-'
    b'{"bucket": 1800000000, "pattern": "{ID}{NUM}{IP}{PATH}{UUID}{HEX}{TIME}{SIZE}{EMAIL}{URL}", "level": "ERROR", '
    b'"level": "WARNING", "level": "DEBUG", "level": "INFO", "source": "service", "count": 1, "first_seen": '
    b'180000000000000, "last_seen": 180000000000000, "group": "", "samples": {"messages": ["'
    b'"], "latest": 0, "details": [[180000000000000, "{\\"request_id\\":\\"\\",\\"user_id\\":\\"\\",\\"status\\":200,'
    b'\\"path\\":\\"/\\",\\"duration\\":\\"ms\\"}", null]]}, "categories": {}, "tags": {}, "minutes": [], '
    b'"variables": {"ID": {"count": 1, "values": {"kept": {"1": 1}, "draws": {"1": 1.0}, "cells": []}, "numbers": '
    b'{"unit": "s", "count": 1, "low": 0.0, "high": 0.0, "nanos": "000000000", "zeros": 0, "bins": {"-1": 1}}}}}'
    b'"cells": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]'
    b'": 2, "": 3, "": -0.1, "": 0.2, "": 1.5, "": 2.5"metadata": {"user": {"count": 1, "values": {"kept": {"": 1, "": '
    b'1}, "draws": {"": 0., "": 1.}, "cells": []}, "numbers": {"unit": "", "count": 1, "low": 1.0, "high": 2.0, '
    b'"nanos": "10000000000", "zeros": 0, "bins": {"300": 1}}}, "": {"count": 1, "values": {"kept": {"": 1}, '
    b'"draws": {"": 0.}, "cells": []}, "numbers": null}}'
)

_COMPACT_DICTIONARY = (
    b'"POST""GET""true""false""/api/""error":"code":"ip":"","trace_id":"","method":"host":"node-","version":"1.0.0",'
    b'"region":"eu-1","session":"","duration":"ms","bytes":,"status":200,"path":"/api/","user_id":,"request_id":"'
    b'["FATAL",["ERROR",["DEBUG",["WARN",["INFO","service-",1,180000,2,180000,3,180000,4,{ID}{NUM}{IP}{PATH}{UUID}{HEX}'
    b'{TIME}{SIZE}{EMAIL}{URL}",[["",0,{"user_id":"}],["":"","":},["",[{"ID":["","","NUM":["1"],"ID":["]}]],null,1]'
    b'"]}]]"]}],[{"":{"200":2,":1,"":["","":[],"":["'
)


def pack_details(aggregate: Aggregate) -> bytes:
    """An aggregate as a few bytes: about a tenth of its JSON. Draws of values that are all listed are not kept."""
    compact = to_compact(aggregate)
    text, form, dictionary = (
        (pack_aggregate(aggregate), _PLAIN, _DICTIONARY)
        if compact is None
        else (compact, _COMPACT, _COMPACT_DICTIONARY)
    )
    packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 9, zdict=dictionary)
    return form + packer.compress(text) + packer.flush()


def unpack_details(packed: bytes) -> Aggregate | None:
    """What was packed; `None` for bytes of another form, whoever wrote them."""
    form = packed[:1]
    if form not in (_PLAIN, _COMPACT):
        return None
    unpacker = zlib.decompressobj(_WINDOW, zdict=_DICTIONARY if form == _PLAIN else _COMPACT_DICTIONARY)
    try:
        text = unpacker.decompress(packed[1:], _MOST_BYTES)
        return unpack_aggregate(text) if form == _PLAIN else from_compact(text)
    except (zlib.error, ValueError, TypeError, RecursionError):  # a `ValidationError` of msgspec is a ValueError
        return None
