"""Three nats-servers and three services on this machine, to look at: `make demo-cluster`.

They are one cluster, with one SQLite file as their store: that goes on one machine only. Ctrl-C ends everything.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Self

OLDEST = (2, 15)
NAMES = "abc"
DEADLINE = 60.0
WHERE = "`make demo-cluster` installs one on x86_64, else see https://github.com/nats-io/nats-server/releases"
COMMAND = str(Path(sys.executable).with_name("log-aggregator"))


class Refusal(Exception):  # noqa: N818  the demo cannot start; the text says why
    """What is missing, and where it comes from."""


class Cluster:
    """Three nodes in a directory: each a nats-server and a service. Leaving the block ends them."""

    def __init__(self, directory: Path, program: str) -> None:
        self._directory = directory
        self._program = program
        ports = _free_ports(4 * len(NAMES))
        self._ports = {name: ports[4 * place : 4 * place + 4] for place, name in enumerate(NAMES)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def url(self, name: str) -> str:
        """Where the service of a node answers."""
        return f"http://127.0.0.1:{self._ports[name][3]}"

    def __enter__(self) -> Self:
        try:
            for name in NAMES:
                self._start_server(name)
            for name in NAMES:
                self._start_service(name)
            for name in NAMES:
                self.wait(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        services = [one for name, one in self._running.items() if name.startswith("service")]
        for process in services:
            process.terminate()
        for process in services:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        for process in self._running.values():
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """Kill both of a node, as a power cut would."""
        for part in ("service", "nats"):
            self._running[f"{part} {name}"].kill()
            self._running[f"{part} {name}"].wait()

    def start(self, name: str) -> None:
        """Start a node again that was killed."""
        self._start_server(name)
        self._start_service(name)
        self.wait(name)

    def wait(self, name: str) -> None:
        """Wait until a node's service answers. Raises `Refusal` with its last words."""
        end = time.monotonic() + DEADLINE
        while health(self.url(name)) is None:
            process = self._running[f"service {name}"]
            if time.monotonic() > end or process.poll() is not None:
                words = self._directory.joinpath(f"service-{name}.log").read_text(errors="replace")[-2000:]
                raise Refusal(f"the service of node {name} did not start:\n{words}")
            time.sleep(0.1)

    def _start_server(self, name: str) -> None:
        client, monitor, route, _ = self._ports[name]
        routes = ", ".join(f"nats-route://127.0.0.1:{ports[2]}" for ports in self._ports.values())
        config = self._directory / f"nats-{name}.conf"
        config.write_text(f"""server_name: {name}
listen: 127.0.0.1:{client}
http: 127.0.0.1:{monitor}
max_payload: 8MB
max_pending: 64MB
jetstream {{ store_dir: "{self._directory / f"nats-{name}"}", max_mem: 64MB, max_file: 4GB, sync_interval: always }}
cluster {{ name: demo, listen: 127.0.0.1:{route}, routes: [{routes}] }}
""")
        self._run("nats", name, [self._program, "-c", str(config)])

    def _start_service(self, name: str) -> None:
        own = self._directory / name
        own.mkdir(exist_ok=True)
        pipeline = own / "plugins.toml"
        pipeline.write_text(f"""[journal]
kind = "jetstream"
servers = {json.dumps([f"nats://127.0.0.1:{ports[0]}" for ports in self._ports.values()])}
monitors = {json.dumps([f"http://127.0.0.1:{ports[1]}" for ports in self._ports.values()])}
member = "{name}"
partitions = 6
max_bytes = {2**27}
roles = {json.dumps(["intake", "aggregate", *(["cluster"] if name == NAMES[0] else [])])}

[plugins.formats]

[plugins.patterns]

[plugins.templates]

[plugins.classify]

[plugins.sqlite]
path = "{self._directory / "logs.sqlite3"}"

[plugins.trends]

[plugins.dashboard]
""")
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(self._ports[name][3]),
            "PLUGINS_FILE": str(pipeline),
            "DATA_DIR": str(own / "data"),
            "AGGREGATION_WINDOW": "2",
        }
        # `env` leaves the signal of Ctrl-C to this program: the services end when it says so.
        self._run("service", name, ["env", *(f"{key}={value}" for key, value in settings.items()), COMMAND, "serve"])

    def _run(self, part: str, name: str, command: list[str]) -> None:
        with self._directory.joinpath(f"{part}-{name}.log").open("ab") as log:
            self._running[f"{part} {name}"] = subprocess.Popen(  # noqa: S603  our own programs
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


def find_program() -> str:
    """The nats-server. Raises `Refusal` when it is missing or too old."""
    program = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if program is None:
        raise Refusal(f"there is no nats-server here, expected {_text(OLDEST)} or newer: {WHERE}")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  as above
    found = re.search(r"v(\d+)\.(\d+)", done.stdout)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST:
        raise Refusal(f"{program} is {_text(version)}, expected {_text(OLDEST)} or newer: {WHERE}")
    return program


def health(url: str) -> dict[str, Any] | None:
    """What `/health` says, also with 503; `None` when nothing answers."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310  our own
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))
    except (OSError, ValueError):
        return None


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def sending(url: str, rate: int) -> Iterator[None]:
    """Send the logs of the made-up shop meanwhile."""
    quiet = subprocess.DEVNULL
    command = [COMMAND, "demo", "--url", url, "--rate", str(rate)]
    sender = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        sender.terminate()
        sender.wait()


def show(cluster: Cluster, kill_after: float, seconds: float) -> None:
    """Say where to look, and kill a node when that is asked for."""
    began = time.monotonic()
    first, last = NAMES[0], NAMES[-1]
    say("Three services are one cluster. Logs go to the first; each shows the same patterns:")
    for name in NAMES:
        say(f"  {name}  {cluster.url(name)}/")
    if kill_after:
        pause(kill_after)
        cluster.kill(last)
        say(f"Killed node {last}: its nats-server and its service. Look at {cluster.url(first)}/ and its /health.")
        while (told := health(cluster.url(first))) is None or told["status"] != "degraded":
            pause(0.5)
        say(f"{first} says: {told['status']}: {told['checks']['replicas'].get('detail', '')}")
        say("Logs go on being acknowledged and stored, on two machines of three.")
        pause(kill_after)
        cluster.start(last)
        say(f"Started node {last} again.")
        while (told := health(cluster.url(first))) is None or told["status"] != "healthy":
            pause(0.5)
        say(f"{first} says: {told['status']}: every replica is current.")
    else:
        say("See a node killed: make demo-cluster DEMO_KILL=20 kills one after 20 seconds and starts it 20 later.")
    say("On machines of your own: docs/how-to/cluster.md. Stop with Ctrl-C.")
    while not seconds or time.monotonic() < began + seconds:
        pause(0.5)


def pause(seconds: float) -> None:
    """Wait; Ctrl-C ends it."""
    time.sleep(seconds)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201  a command


def main(arguments: list[str]) -> int:
    """Run until Ctrl-C, or for `--seconds`."""
    parser = argparse.ArgumentParser(description="Start three nats-servers and three services, and send logs to them.")
    parser.add_argument("--kill-after", type=float, default=0, help="kill a node after so many seconds")
    parser.add_argument("--seconds", type=float, default=0, help="end after so long (default: with Ctrl-C)")
    parser.add_argument("--rate", type=int, default=50, help="logs a second")
    options = parser.parse_args(arguments)

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        program = find_program()
        say("Starting three nats-servers and three services: some seconds.")
        with (
            tempfile.TemporaryDirectory(prefix="demo-cluster-") as place,
            Cluster(Path(place), program) as cluster,
            sending(cluster.url(NAMES[0]), options.rate),
        ):
            show(cluster, options.kill_after, options.seconds)
    except Refusal as refusal:
        print(f"demo-cluster: {refusal}", file=sys.stderr)  # noqa: T201  a command
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
