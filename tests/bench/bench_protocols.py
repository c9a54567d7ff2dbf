"""CPU of the service for the same logs through each protocol, as a ratio to our own NDJSON in the same run.

    python -m tests.bench.bench_protocols [--logs 100000] [--only otlp,loki] [--plugins FILE]

Every protocol sends the same number of logs with the same message, level, source, time and metadata. The protocols take
turns in rounds, so that what else the machine does falls on all of them; bodies are made before the clock starts.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cramjam
import msgpack
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.support.service import ServiceProcess

ROOT = Path(__file__).parents[2]
BATCH = 1000
ROUNDS = 10
TICKS = os.sysconf("SC_CLK_TCK")
LEVELS = {"INFO": (9, 6), "WARN": (13, 4), "ERROR": (17, 3)}
"""Severities of OTLP and syslog."""

WANTED = {"otlp": 1.8, "loki-json": 1.5, "loki-protobuf": 1.5, "bulk": 1.5, "forward": 1.6, "syslog": 2.5}

Logs = list[dict[str, Any]]


def logs_of(count: int, rng: random.Random, at: float) -> Logs:
    """Logs of a shop: a few messages with numbers, three levels, four fields."""
    texts = (
        "User {} logged in from 10.0.{}.7",
        "order {} paid by card in {} ms",
        "payment {} refused by bank {}",
        "GET /api/orders/{} took {} ms",
    )
    logs = []
    for number in range(count):
        text = texts[number % 4].format(rng.randrange(100_000), rng.randrange(256))
        level = "ERROR" if number % 4 == 2 else ("WARN" if number % 20 == 0 else "INFO")
        fields = {
            "region": f"eu-{number % 3}",
            "user": f"u{rng.randrange(5000)}",
            "ms": str(rng.randrange(900)),
            "v": "1.4",
        }
        logs.append({"message": text, "level": level, "source": "shop", "timestamp": at + number / 1e4, **fields})
    return logs


def nanos(log: dict[str, Any]) -> int:
    return int(log["timestamp"] * 1e6) * 1000


def extra(log: dict[str, Any]) -> dict[str, str]:
    return {name: log[name] for name in ("region", "user", "ms", "v")}


def ndjson(logs: Logs) -> bytes:
    return b"\n".join(
        json.dumps(
            {**{k: log[k] for k in ("message", "level", "source", "timestamp")}, "metadata": extra(log)}
        ).encode()
        for log in logs
    )


def otlp(logs: Logs) -> bytes:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_logs.add()
    for log in logs:
        record = scope.log_records.add(
            time_unix_nano=nanos(log), severity_number=LEVELS[log["level"]][0], severity_text=log["level"]
        )
        record.body.string_value = log["message"]
        for name, value in extra(log).items():
            record.attributes.add(key=name).value.string_value = value
    return request.SerializeToString()


def loki_json(logs: Logs) -> bytes:
    streams: dict[str, list[Any]] = {}
    for log in logs:
        streams.setdefault(log["level"], []).append([str(nanos(log)), log["message"], extra(log)])
    return json.dumps(
        {"streams": [{"stream": {"service_name": "shop", "level": level}, "values": v} for level, v in streams.items()]}
    ).encode()


def loki_protobuf(logs: Logs) -> bytes:
    streams: dict[str, bytearray] = {}
    for log in logs:
        seconds, rest = divmod(nanos(log), 10**9)
        entry = part(1, number(1, seconds) + number(2, rest)) + part(2, log["message"].encode())
        for name, value in extra(log).items():
            entry += part(3, part(1, name.encode()) + part(2, value.encode()))
        streams.setdefault(log["level"], bytearray()).extend(part(2, entry))
    body = b"".join(
        part(1, part(1, b'{service_name="shop", level="%s"}' % level.encode()) + bytes(entries))
        for level, entries in streams.items()
    )
    return bytes(cramjam.snappy.compress_raw(body))


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def part(field: int, data: bytes) -> bytes:
    return bytes([field << 3 | 2]) + varint(len(data)) + data


def number(field: int, value: int) -> bytes:
    return bytes([field << 3]) + varint(value)


def bulk(logs: Logs) -> bytes:
    lines = []
    for log in logs:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(log["timestamp"])) + f".{nanos(log) // 1000 % 10**6:06d}Z"
        about = {"@timestamp": when, "message": log["message"], "log": {"level": log["level"].lower()}}
        lines += ['{"create": {"_index": "logs"}}', json.dumps(about | {"service": {"name": "shop"}} | extra(log))]
    return ("\n".join(lines) + "\n").encode()


def forward(logs: Logs) -> bytes:
    entries = b"".join(
        msgpack.packb([msgpack.ExtType(0, struct.pack(">II", *divmod(nanos(log), 10**9))),
                       {"message": log["message"], "level": log["level"].lower()} | extra(log)])
        for log in logs
    )  # fmt: skip
    return msgpack.packb(["shop", entries, {"chunk": str(nanos(logs[0])), "size": len(logs)}])


def syslog(logs: Logs) -> bytes:
    frames = []
    for log in logs:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(log["timestamp"])) + f".{nanos(log) // 1000 % 10**6:06d}Z"
        data = " ".join(f'{name}="{value}"' for name, value in extra(log).items())
        text = f"<{128 + LEVELS[log['level']][1]}>1 {when} - shop - - [meta@1 {data}] {log['message']}".encode()
        frames.append(b"%d %s" % (len(text), text))
    return b"".join(frames)


Maker = Callable[[Logs], bytes]
HTTP: dict[str, tuple[str, str, Maker]] = {
    "ndjson": ("/ingest/batch", "application/x-ndjson", ndjson),
    "otlp": ("/v1/logs", "application/x-protobuf", otlp),
    "loki-json": ("/loki/api/v1/push", "application/json", loki_json),
    "loki-protobuf": ("/loki/api/v1/push", "application/x-protobuf", loki_protobuf),
    "bulk": ("/elasticsearch/_bulk", "application/x-ndjson", bulk),
}
SOCKETS: dict[str, Maker] = {"forward": forward, "syslog": syslog}


class Target:
    """The service, and what it has cost."""

    def __init__(self, service: ServiceProcess, ports: dict[str, int]) -> None:
        self.service = service
        self.ports = ports
        self._http = http.client.HTTPConnection(service.url.removeprefix("http://"))

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.service.running.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def aggregated(self) -> int:
        logs: int = self.service.get("/stats")["logs"]["aggregated"]
        return logs

    def send(self, protocol: str, bodies: list[bytes], logs: int) -> float:
        """CPU seconds until the logs are aggregated."""
        before, begin = self.aggregated(), self.cpu()
        if protocol in HTTP:
            path, kind, _ = HTTP[protocol]
            for body in bodies:
                self._http.request("POST", path, body, {"Content-Type": kind})
                answer = self._http.getresponse()
                answer.read()
                assert answer.status < 300, answer.status
        else:
            with socket.create_connection(("127.0.0.1", self.ports[protocol])) as connection:
                for body in bodies:
                    connection.sendall(body)
                    if protocol == "forward":
                        assert connection.recv(4096), "no acknowledgement"
        until = time.monotonic() + 60
        while self.aggregated() - before < logs:
            assert time.monotonic() < until, f"{protocol}: {self.aggregated() - before} of {logs} logs"
            time.sleep(0.02)
        return self.cpu() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=100_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--plugins", type=Path, default=ROOT / "plugins.toml")
    args = parser.parse_args()
    chosen = [
        "ndjson",
        *[
            name
            for name in [*HTTP, *SOCKETS]
            if name != "ndjson" and name in (args.only.split(",") if args.only else WANTED)
        ],
    ]
    ports = {}
    for name in SOCKETS:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports[name] = free.getsockname()[1]
    receivers = "\n[plugins.otlp]\n[plugins.loki]\n[plugins.elasticsearch]\n" + "".join(
        f'[plugins.{name}]\ntcp = "127.0.0.1:{port}"\n' for name, port in ports.items()
    )
    batches = max(1, args.logs // ROUNDS // BATCH)
    spent = dict.fromkeys(chosen, 0.0)
    with tempfile.TemporaryDirectory() as directory:
        service = ServiceProcess(
            Path(directory),
            args.plugins.read_text() + receivers,
            environ={"AGGREGATION_WINDOW": "30", "BATCH_SIZE": "1000000"},
        ).start()
        try:
            target = Target(service, ports)
            for turn in range(-1, ROUNDS):  # the first round warms up
                for name in chosen:
                    make = HTTP[name][2] if name in HTTP else SOCKETS[name]
                    rng = random.Random(f"{turn}{name}")
                    at = time.time() - 3000 + turn * 60 + chosen.index(name)
                    bodies = [make(logs_of(BATCH, rng, at + n / 10)) for n in range(batches)]
                    cost = target.send(name, bodies, batches * BATCH)
                    spent[name] += cost if turn >= 0 else 0
        finally:
            service.stop()
    logs = ROUNDS * batches * BATCH
    for name in chosen:
        ratio = spent[name] / spent["ndjson"]
        wanted = f"  wanted {WANTED[name]:.1f}" if name in WANTED else ""
        sys.stdout.write(f"{name:<14} {spent[name] / logs * 1e6:6.2f} us a log  {ratio:5.2f}x{wanted}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
