"""What hostile senders do to one service with every receiver: no 500, no growth, and the neighbours are served."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import struct
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cramjam
import msgpack
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.support.service import ServiceProcess

PORTS = ("syslog", "gelf", "forward", "lines")
NEIGHBOUR = "127.0.0.2"
HALF_OPEN = 10_000
KEYS = 10_000
MOST_GROWTH = 48 * 1024 * 1024
"""Bytes that the service may have more than before: the largest bodies that are under way take their part of it."""

Send = tuple[str, dict[str, str], bytes]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServiceProcess, dict[str, int]]]:
    options = "".join(f'[plugins.{name}]\ntcp = "127.0.0.1:0"\n' for name in PORTS).replace(
        '[plugins.gelf]\ntcp = "127.0.0.1:0"', '[plugins.gelf]\nudp = "127.0.0.1:0"\ntcp = "127.0.0.1:0"'
    )
    http = "".join(
        f"[plugins.{name}]\n"
        for name in ("otlp", "loki", "elasticsearch", "journald", "splunk-hec", "datadog", "logplex", "firehose")
    )
    pipeline = f"[plugins.patterns]\n[plugins.sqlite]\n{http}{options}"
    service = ServiceProcess(tmp_path_factory.mktemp("hostile"), pipeline).start()
    ports = {" ".join(name.split()[:2]): int(name.rpartition(":")[2]) for name in service.get("/stats")["receivers"]}
    yield service, ports
    service.stop()


def resident(service: ServiceProcess) -> int:
    return int(Path(f"/proc/{service.running.pid}/statm").read_text().split()[1]) * resource.getpagesize()


def accepted(service: ServiceProcess) -> int:
    logs: int = service.get("/stats")["logs"]["accepted"]
    return logs


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def status_of(service: ServiceProcess, path: str, headers: dict[str, str], body: bytes) -> int:
    request = urllib.request.Request(service.url + path, body, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def neighbours_are_served(service: ServiceProcess, ports: dict[str, int]) -> None:
    """A log by HTTP and one by Forward with an acknowledgement, from another address."""
    before = accepted(service)
    assert service.post("/ingest", {"message": "a neighbour"})[0] == 202
    address = ("127.0.0.1", ports["forward tcp"])
    with socket.create_connection(address, 20, source_address=(NEIGHBOUR, 0)) as connection:
        connection.sendall(
            msgpack.packb(["shop", [[1_790_000_000, {"message": "a neighbour"}]], {"chunk": f"{before}"}])
        )
        assert msgpack.unpackb(connection.recv(1000)) == {"ack": f"{before}"}
    assert accepted(service) >= before + 2


def test_ten_thousand_half_open_connections(everything: tuple[ServiceProcess, dict[str, int]]) -> None:
    service, ports = everything
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(HALF_OPEN, hard - 1000)
    kinds = [(ports[f"{name} tcp"], begun) for name, begun in BEGUN.items()]
    before = resident(service)
    with contextlib.ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for number in range(count):
            port, begun = kinds[number % len(kinds)]
            connection = held.enter_context(socket.socket())
            connection.settimeout(20)
            connection.connect(("127.0.0.1", port))
            with contextlib.suppress(OSError):  # it was one too many
                connection.send(begun)
        neighbours_are_served(service, ports)
        assert resident(service) - before < MOST_GROWTH
        stats = service.get("/stats")["receivers"]
        assert sum(one.get("connections", 0) for one in stats.values()) <= 1000 * len(kinds)


BEGUN = {"syslog": b"<14>1 - - app", "gelf": b'{"short_message": "', "forward": b"\x93\xa4shop\xdd", "lines": b"begun"}


def bodies_with_many_keys() -> Iterator[Send]:
    many = {f"key{number}": "x" for number in range(KEYS)}
    labels = ", ".join(f'{name}="x"' for name in many)
    nanos = str(time.time_ns())
    yield "/loki/api/v1/push", {}, json.dumps({"streams": [{"stream": many, "values": [[nanos, "m", many]]}]}).encode()
    stream = _part(1, _part(1, b"{" + labels.encode() + b"}") + _part(2, _part(2, b"m")))
    yield "/loki/api/v1/push", {"Content-Type": "application/x-protobuf"}, bytes(cramjam.snappy.compress_raw(stream))
    request = ExportLogsServiceRequest()
    logs = request.resource_logs.add()
    record = logs.scope_logs.add().log_records.add()
    record.body.string_value = "m"
    for name in many:
        logs.resource.attributes.add(key=name).value.string_value = "x"
        record.attributes.add(key=name).value.string_value = "x"
    yield "/v1/logs", {"Content-Type": "application/x-protobuf"}, request.SerializeToString()
    document = json.dumps({"message": "m", **many, "deep": {"deeper": many}}).encode()
    yield "/elasticsearch/_bulk", {}, b'{"create": {}}\n' + document + b"\n"
    yield "/elasticsearch/logs/_doc", {}, document
    yield "/services/collector", {"Authorization": "Splunk x"}, json.dumps({"event": "m", "fields": many}).encode()
    yield (
        "/api/v2/logs",
        {},
        json.dumps([{"message": "m", "ddtags": ",".join(f"{k}:x" for k in many), **many}]).encode(),
    )
    yield "/gelf", {}, json.dumps({"version": "1.1", "short_message": "m", **{f"_{k}": "x" for k in many}}).encode()
    export = b"".join(f"{name.upper()}=x\n".encode() for name in many) + b"MESSAGE=m\n\n"
    yield (
        "/upload",
        {"Content-Type": "application/vnd.fdo.journal"},
        b"__REALTIME_TIMESTAMP=1790000000000000\n" + export,
    )
    yield "/ingest", {}, document


def test_a_log_of_ten_thousand_keys_is_cut_and_costs_no_other(
    everything: tuple[ServiceProcess, dict[str, int]],
) -> None:
    service, ports = everything
    before, logs, count = resident(service), accepted(service), 0
    for path, headers, body in bodies_with_many_keys():
        status = status_of(service, path, headers, body)
        assert status < 500, path
        count += status < 300
    fields = {f"key{number}": "x" for number in range(KEYS)}
    data = "".join(f' {name}="x"' for name in fields)
    lines = f"<14>1 - h app - - [a@1{data}] m\n".encode()
    gelf = json.dumps({"version": "1.1", "short_message": "m", **{f"_{k}": "x" for k in fields}}).encode() + b"\0"
    forward = msgpack.packb(["shop", [[1_790_000_000, {"message": "m", **fields}]]])
    for name, sent in (("syslog", lines), ("gelf", gelf), ("forward", forward), ("lines", gelf[:-1] + b"\n")):
        with socket.create_connection(("127.0.0.1", ports[f"{name} tcp"])) as connection:
            connection.sendall(sent)
    until(lambda: accepted(service) >= logs + count + 4, "the logs by TCP did not come in")
    assert count >= 9
    neighbours_are_served(service, ports)
    assert resident(service) - before < MOST_GROWTH


def hostile_messagepack() -> Iterator[bytes]:
    yield b"\x91" * 100_000  # lists in lists
    yield b"\x93\xa4shop\xdd\xff\xff\xff\xff"  # a list that says it has 4,294,967,295 entries
    yield b"\x93\xa4shop\xc6\xff\xff\xff\xff"  # bytes likewise
    yield b"\x92\xa4shop\xdf\xff\xff\xff\xff\xa1a"  # a map likewise
    yield b"\xdb\xff\xff\xff\xff"  # a text likewise
    yield b"\xc1" * 1000  # what msgpack never uses
    bomb = zlib.compressobj(9, wbits=31)
    yield msgpack.packb(["shop", bomb.compress(bytes(80_000_000)) + bomb.flush(), {"compressed": "gzip"}])
    yield msgpack.packb(["shop", msgpack.packb([1, {"m": "x"}])[:-1], {"size": 2**60}])
    yield msgpack.packb(["shop", [[1, {"a": _nested(200)}]]])


def test_messagepack_that_lies_closes_its_connection_only(everything: tuple[ServiceProcess, dict[str, int]]) -> None:
    service, ports = everything
    before = resident(service)
    for sent in hostile_messagepack():
        address = ("127.0.0.1", ports["forward tcp"])
        with socket.create_connection(address, 20) as connection, contextlib.suppress(OSError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(10) == b""
    neighbours_are_served(service, ports)
    assert resident(service) - before < MOST_GROWTH


def test_chunks_of_gelf_that_never_end(everything: tuple[ServiceProcess, dict[str, int]]) -> None:
    service, ports = everything
    before = resident(service)
    address = ("127.0.0.1", ports["gelf udp"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(20_000):
            sender.sendto(b"\x1e\x0f" + struct.pack(">QBB", number, 0, 2) + bytes(1000), address)
        logs = accepted(service)
        whole = json.dumps({"version": "1.1", "host": "h", "short_message": "whole"}).encode()

        def is_in() -> bool:  # what the system has no room for is lost, so it is sent until it is in
            sender.sendto(whole, address)
            return accepted(service) > logs

        until(is_in, "no message came in behind the chunks")
    neighbours_are_served(service, ports)
    assert resident(service) - before < MOST_GROWTH


def _part(field: int, data: bytes) -> bytes:
    length, size = len(data), bytearray()
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([field << 3 | 2, *size, length]) + data


def _nested(depth: int) -> Any:
    inner: Any = "x"
    for _ in range(depth):
        inner = {"a": inner}
    return inner
