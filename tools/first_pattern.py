"""Starts an installed service, sends a log and prints the seconds until its pattern: `python tools/first_pattern.py
PROGRAM`.

Only the standard library, so that any Python can run it. Exit code 1, with what the service printed, when no pattern
came within a minute.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

DEADLINE = 60.0
WANTED = "User {ID} logged in"


def ask(url: str, document: object | None = None) -> str:
    """The text of an answer. Raises `OSError`."""
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  our own service
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  our own service
        text: str = answer.read().decode()
        return text


def pattern_of(output: Path) -> str:
    """Send a log to the service whose address stands in its output; the patterns it tells. Raises `OSError`."""
    found = re.search(r"http://127\.0\.0\.1:\d+", output.read_text(errors="replace"))
    if not found:
        raise OSError("the service does not listen yet")
    ask(f"{found[0]}/ingest", {"message": "User 123 logged in", "source": "try"})
    ask(f"{found[0]}/flush", {})
    return ask(f"{found[0]}/patterns")


def main(program: str) -> int:
    """Print how long it took; the exit code."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "output"
        environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0", "DATA_DIR": f"{directory}/data"}
        begun = time.monotonic()
        with output.open("wb") as sink:
            process = subprocess.Popen(  # noqa: S603  the program that the caller names
                [program, "serve"], cwd=directory, env=environment, stdout=sink, stderr=subprocess.STDOUT
            )
        patterns = ""
        try:
            while WANTED not in patterns and time.monotonic() < begun + DEADLINE and process.poll() is None:
                try:
                    patterns = pattern_of(output)
                except OSError:
                    time.sleep(0.05)
            seconds = time.monotonic() - begun
        finally:
            process.terminate()
            process.wait(DEADLINE)
        if WANTED not in patterns:
            sys.stderr.write(f"{program}: no pattern after {seconds:.0f} s\n{output.read_text(errors='replace')}")
            return 1
    sys.stdout.write(f"{program}: the first pattern after {seconds:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
