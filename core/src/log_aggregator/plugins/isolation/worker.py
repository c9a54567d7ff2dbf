"""The process of one isolated stage: loads the plugin, answers batches until its input ends."""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import BinaryIO, TypeVar

import msgspec

from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.plugins.isolation.wire import HEADER, Answer, Call, Change, Ready, Start, framed

OPEN_FILES = 256
"""Files and sockets that the process may have open at once."""

Message = TypeVar("Message", bound=msgspec.Struct)


def main() -> int:
    """Serve one plugin over standard input and output. What the plugin prints goes to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start = _receive(requests, Start)
    if start is None:
        return 0
    sys.path += [entry for entry in start.path if entry not in sys.path]
    os.umask(0o077)
    _limit(start.memory_mib)
    return _serve(start, requests, answers)


def _limit(memory_mib: int) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, memory_mib * 1024 * 1024),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def _serve(start: Start, requests: BinaryIO, answers: BinaryIO) -> int:
    from log_aggregator.config.pipeline import PluginEntry  # noqa: PLC0415  likewise
    from log_aggregator.model.batch import WorkingBatch  # noqa: PLC0415  after the path is set
    from log_aggregator.plugins.registry import Registry  # noqa: PLC0415  likewise

    try:
        registry = Registry([PluginEntry(name=start.name, where=start.where, options=start.options)], {})
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever it is, the service wants to know
        _send(answers, Ready(f"{type(error).__name__}: {error}"))
        return 1
    _send(answers, Ready())
    (plugin,) = registry.plugins
    while (call := _receive(requests, Call)) is not None:
        records = call.records
        try:
            batch = WorkingBatch(records)
            batch.call(call.hook, plugin.hooks[call.hook])
            batch.records()
            changes = [Change(r.pattern, r.level, r.category, r.tags, r.metadata) for r in records]
            answer = framed(Answer(changes))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything
            answer = framed(Answer(error=where_raised(error, package_of(plugin.instance))))
        answers.write(answer)
        answers.flush()
    return 0


def _send(answers: BinaryIO, message: msgspec.Struct) -> None:
    answers.write(framed(message))
    answers.flush()


def _receive(requests: BinaryIO, kind: type[Message]) -> Message | None:
    header = requests.read(HEADER)
    if len(header) < HEADER:
        return None
    payload = requests.read(int.from_bytes(header, "big"))
    return msgspec.msgpack.decode(payload, type=kind)


if __name__ == "__main__":
    sys.exit(main())
