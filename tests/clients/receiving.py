"""A service with every receiver on, and programs that send to it in processes of their own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.service import ServiceProcess

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
PYTHON = ROOT / "build/clients/bin/python"
_PROGRAMS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
BROKER = shutil.which("mosquitto", path=_PROGRAMS)
NATS = shutil.which("nats-server", path=_PROGRAMS)
DEADLINE = 60.0
REFUSALS = frozenset(
    {
        "rejected", "refused", "refused_requests", "incomplete", "broken", "wrong_keys", "not_logs",
        "overflowed", "duplicates", "timestamps_replaced",
    }
)  # fmt: skip
"""Figures of `/stats` that stay at zero when nothing is refused, repaired or counted out."""


class Receiving:
    """The service, where it listens, and what it has taken of one test, whose messages begin with `word`."""

    def __init__(self, service: ServiceProcess, ports: dict[str, int], word: str) -> None:
        self.service = service
        self.word = word
        self.at = (time.time() // 60 - 10) * 60.0
        http = int(service.url.rpartition(":")[2])
        self.target: dict[str, Any] = {"url": service.url, "http": http, "at": self.at, "word": word, **ports}
        self._refused_before = self._refusals()

    def run(self, program: str, *arguments: str, **target: Any) -> None:
        """Run a program of `programs/`. Fails with its output when it fails or complains."""
        command = [str(PYTHON), str(PROGRAMS / f"{program}.py"), json.dumps(self.target | target), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        told = done.stdout + done.stderr
        assert done.returncode == 0, told
        assert "Traceback" not in told, told
        assert "Exception" not in told, told

    def patterns(self, logs: int) -> list[dict[str, Any]]:
        """The patterns, each with its details, once so many logs are counted."""
        until = time.monotonic() + DEADLINE
        while True:
            self.service.post("/flush")
            found = self.service.get(f"/patterns?limit=100&q={self.word}")["patterns"]
            if sum(one["count"] for one in found) >= logs or time.monotonic() > until:
                return [self.service.get(f"/patterns/{one['pattern_id']}") for one in found]
            time.sleep(0.05)

    def refusals(self) -> dict[str, int]:
        """Figures that say that something of this test was not taken as it came; empty when all was."""
        before = self._refused_before
        return {name: more for name, number in self._refusals().items() if (more := number - before.get(name, 0))}

    def _refusals(self) -> dict[str, int]:
        return dict(_refusals("", self.service.get("/stats")))

    def repeated(self) -> int:
        """How many logs were recognised as sent before."""
        duplicates = [number for name, number in self.refusals().items() if name.endswith("duplicates")]
        return max(duplicates, default=0)


def _refusals(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items() if isinstance(value, dict) else ():
        if name in REFUSALS and inner:
            yield f"{path}{name}", inner
        yield from _refusals(f"{path}{name} ", inner)


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A port for each name, free for UDP and TCP."""
    with ExitStack() as held:
        found = {}
        for name in names:
            tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held.enter_context(tcp)
            held.enter_context(udp)
            tcp.bind(("127.0.0.1", 0))
            found[name] = tcp.getsockname()[1]
            udp.bind(("127.0.0.1", found[name]))
        return found


def pipeline(ports: dict[str, int]) -> str:
    """The project's own pipeline with every receiver behind it.

    Without `templates`: the clients' messages differ in one word, which it would find to be a variable.
    """
    own = (ROOT / "plugins.toml").read_text().replace("[plugins.templates]", "")
    where = {name: f'"127.0.0.1:{port}"' for name, port in ports.items()}
    both = {name: f"udp = {where[name]}\ntcp = {where[name]}\n" for name in ("syslog", "gelf", "lines")}
    tcp = {"forward": f"tcp = {where['forward']}\n"}
    options = (
        dict.fromkeys(("otlp", "loki", "elasticsearch", "journald", "splunk-hec", "datadog", "firehose", "logplex"), "")
        | both
        | tcp
    )
    if "mqtt" in ports:
        options["mqtt"] = f'url = "mqtt://127.0.0.1:{ports["mqtt"]}"\ntopics = ["logs/#"]\n'
    if "nats" in ports:
        options["nats"] = f'url = "nats://127.0.0.1:{ports["nats"]}"\nsubjects = ["logs.>"]\n'
    return own + "".join(f"\n[plugins.{name}]\n{lines}" for name, lines in options.items())
