"""`log-aggregator serve --dev`: the service in a process of its own, started again at each change of a plugin."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

from log_aggregator.cli.watching import files_of, times_of, wait_for_change
from log_aggregator.config.pipeline import PluginEntry, read_plugins_file
from log_aggregator.errors import ConfigError

STOP_SECONDS = 40.0
"""How long the service may take to stop before it is killed."""


class DevServer:
    """Runs the service until a signal; `path` names the pipeline."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stopped = False
        self._entries: list[PluginEntry] = []
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Serve; 0 after SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        while not self._stopped:
            before = times_of(self._files())
            self._start()
            changed = wait_for_change(before, stop=lambda: self._stopped)
            self._end()
            if changed:
                names = ", ".join(path.name for path in changed)
                sys.stderr.write(f"{time.strftime('%H:%M:%S')} changed: {names}; starting again\n")
        return 0

    def _files(self) -> set[Path]:
        with contextlib.suppress(ConfigError):  # the service says what is wrong; until then the old files are watched
            self._entries = read_plugins_file(self._path)
        return {self._path, *files_of(self._entries)}

    def _start(self) -> None:
        command = [sys.executable, "-B", "-m", "log_aggregator", "serve", "--plugins", str(self._path)]
        # A group of its own: Ctrl-C reaches this process alone, which passes it on.
        self._child = subprocess.Popen(command, start_new_session=True)  # noqa: S603  our own program

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _stop(self, *_: object) -> None:
        self._stopped = True
