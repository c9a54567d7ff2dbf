"""A Forward client that asks for acknowledgements: sends its chunk again until it is acknowledged, as agents do."""

import logging
import socket
import uuid

import msgpack
from fluent.sender import EventTime
from story import EXTRA, SOURCE, TARGET, events, retry

entries = []
for event in events():
    log = {"message": event.message, "level": logging.getLevelName(event.level), **EXTRA}
    entries.append([EventTime(event.at), log | ({"stack_trace": event.trace} if event.error else {})])
name = uuid.uuid4().hex
chunk = msgpack.packb([SOURCE, entries, {"chunk": name, "size": len(entries)}])


def send() -> None:
    with socket.create_connection(("127.0.0.1", TARGET["forward"]), timeout=20) as connection:
        connection.sendall(chunk)
        answer = connection.recv(1000)
    if not answer:
        raise ConnectionResetError("no acknowledgement")
    assert msgpack.unpackb(answer) == {"ack": name}


retry(send)
