"""A bad request and the answer that is promised for it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.faults.wire import batch, one


class Case(NamedTuple):
    """`status` is the promised one; `says` must be part of the problem's detail, or of a rejected log's error.

    `accepted` is the promised count where a bad request is taken all the same; `half_close`: the client
    ends its side after sending.
    """

    name: str
    request: bytes
    status: int
    says: str = ""
    accepted: int | None = None
    half_close: bool = False


def log(**fields: Any) -> str:
    """A log as JSON; a message is there unless it is given."""
    return json.dumps({"message": "User 123 logged in"} | fields)


def taken(name: str, body: bytes | str, accepted: int = 1, says: str = "") -> Case:
    """A strange log, or a batch with one, that is taken."""
    data = body.encode() if isinstance(body, str) else body
    several = data.lstrip()[:1] == b"[" or data.startswith(b'{"logs"')
    return Case(name, batch(data) if several else one(data), 202, says, accepted)


def refused(name: str, body: bytes | str, status: int, says: str) -> Case:
    """A single log that is refused."""
    return Case(name, one(body), status, says)
