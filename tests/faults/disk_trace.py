"""What a process wrote to its files and when it synced them, as `strace` saw it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CALLS = (
    "openat,pwrite64,write,writev,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat,renameat2,sendto,sendmsg"
)

_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OFFSET = re.compile(r'", \d+, (\d+)')
_SIZE = re.compile(r">, (\d+)")
_FD = re.compile(r"(-?\w+)<((?:\\x[0-9a-f]{2})*)>")


class Event(NamedTuple):
    """One call: `write`, `truncate`, `create`, `remove`, `rename`, `sync` or `answer`, when it was begun.

    A `sync` stands where it returned; `since` is the event before which what was written is durable by it.
    """

    kind: str
    path: str = ""
    data: bytes = b""
    offset: int = 0
    since: int = 0


def command(output: Path) -> list[str]:
    """What stands in front of a program to record it."""
    return ["strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "4000000", "-e", f"trace={CALLS}", "-o", str(output)]


def read(trace: Path, directory: Path) -> list[Event]:
    """The events of the files below a directory, and the answers with status 202, in order."""
    events: list[Event] = []
    offsets: dict[str, int] = {}
    begun: dict[str, tuple[str, str, int]] = {}
    with trace.open() as lines:
        for line in lines:
            found = _LINE.match(line)
            if found is None:
                continue
            process, resumed, call, rest = found.groups()
            if resumed:
                name, arguments, since = begun.pop(process, (resumed, "", len(events)))
                if name.endswith("sync"):
                    events += _sync(arguments, since, directory)
                elif name == "openat":
                    events += _events(name, arguments + rest, offsets, directory)
                continue
            if rest.endswith("<unfinished ...>"):
                begun[process] = (call, rest, len(events))
                if call == "openat" or call.endswith("sync"):
                    continue
            if call.endswith("sync"):
                events += _sync(rest, len(events), directory)
            else:
                events += _events(call, rest, offsets, directory)
    return events


def _sync(arguments: str, since: int, directory: Path) -> Iterator[Event]:
    if (path := _path(arguments)).startswith(str(directory)):
        yield Event("sync", path, since=since)


def _events(call: str, arguments: str, offsets: dict[str, int], directory: Path) -> Iterator[Event]:
    strings = [_bytes(text) for text in _STRING.findall(arguments)]
    if call.startswith(("unlink", "rename")):
        yield Event(call[:6].replace("unlink", "remove"), strings[0].decode(), strings[-1])
    elif call == "openat":
        yield from _opened(strings[0].decode(), arguments, offsets, directory)
    elif b"HTTP/1.1 202" in b"".join(strings):
        yield Event("answer")
    elif (path := _path(arguments)).startswith(str(directory)):
        yield from _written(call, path, arguments, b"".join(strings), offsets)


def _opened(path: str, arguments: str, offsets: dict[str, int], directory: Path) -> Iterator[Event]:
    if path.startswith(str(directory)) and ("O_CREAT" in arguments or "O_TRUNC" in arguments):
        yield Event("create", path)
        if "O_TRUNC" in arguments:
            yield Event("truncate", path)
        offsets[path] = 0


def _written(call: str, path: str, arguments: str, data: bytes, offsets: dict[str, int]) -> Iterator[Event]:
    place = _OFFSET.search(arguments) if call == "pwrite64" else _SIZE.search(arguments)
    if call == "pwrite64" and place:
        yield Event("write", path, data, int(place[1]))
    elif call == "ftruncate" and place:
        yield Event("truncate", path, offset=int(place[1]))
    elif call.startswith("write"):
        yield Event("write", path, data, offsets.get(path, 0))
        offsets[path] = offsets.get(path, 0) + len(data)


def _path(arguments: str) -> str:
    found = _FD.match(arguments)
    return _bytes(found[2]).decode("utf-8", "replace") if found else ""


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
