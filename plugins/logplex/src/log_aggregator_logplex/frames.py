"""Bodies of `application/logplex-1` → records: counted syslog messages without structured data."""

from __future__ import annotations

from collections.abc import Iterator

from log_aggregator import Record
from log_aggregator.http.receiving import Problem, SentBody
from log_aggregator.receivers import BadLogError, SentFields, record_of_text
from log_aggregator_syslog import FrameError, Framer, Message, parse

FRAME_ID = "Logplex-Frame-Id"
LARGEST = 1_048_576
"""Bytes at which a message is cut; Logplex itself cuts at 10,000."""


def read(sent: SentBody) -> Iterator[Record | BadLogError]:
    """The records of a body. Raises `Problem` 400 when it holds no counted message."""
    sent.request_id = sent.request.headers.get(FRAME_ID, "")
    framer = Framer(LARGEST)
    try:
        messages = framer.feed(sent.body) + framer.finish()
    except FrameError:
        messages = []
    if not messages and sent.body.strip():
        raise Problem(400, "the body holds no message; expected '<bytes> <priority>1 <time> <host> <app> <dyno> - …'")
    about = {name: sent.request.query.get(name, "") for name in ("source", "app")}
    source = about["source"] or about["app"]
    for message in messages:
        try:
            yield sent.noted(_record(parse(message, unescape=False, structured=False), source, sent.received))
        except BadLogError as error:
            yield error
    if framer.broken:
        yield BadLogError("a message that breaks off")


def _record(message: Message, source: str, received: int) -> Record:
    """Heroku gives nearly everything one of three priorities, so that the level is what the text says."""
    named = {
        "app": message.program if source else "",
        "procid": message.process,
        "msgid": message.message_id,
        "host": "" if message.host == "host" else message.host,
    }
    envelope = SentFields(
        source=source or message.program or "logplex",
        metadata={name: value for name, value in named.items() if value},
    )
    if message.time:
        envelope["timestamp"] = message.time
    return record_of_text(message.text, envelope=envelope, defaults=SentFields(timestamp=received))
