"""A fresh Debian 12 in a directory, for what is installed or built there: made by debootstrap, once for a test run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.packages.clean import made_once

PACKAGES = "python3,python3-venv,ca-certificates,binutils"
DEADLINE = 500.0

NEEDED = pytest.mark.skipif(
    not os.environ.get("TEST_DEBIAN") or shutil.which("debootstrap") is None or os.geteuid() != 0,
    reason="makes a whole Debian, which takes minutes: wants TEST_DEBIAN=1, root, and apt-get install debootstrap",
)
"""Stands on every test that needs the fixture `debian`."""

ENTER = """
mount -t proc proc "$1/proc"
mount --bind /dev "$1/dev"
root=$1 user=$2; shift 2
exec /usr/sbin/chroot --userspec=$user "$root" "$@"
"""
"""Run in a mount namespace of its own: what is mounted is gone with it, whatever happens."""


def run(*command: str | Path, **environ: str) -> str:
    """Run a command; its output. Fails the test with it when the exit code is not 0."""
    done = subprocess.run(
        list(map(str, command)),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{(done.stdout + done.stderr)[-4000:]}"
    return done.stdout


def keeps_a_pattern(url: str) -> None:
    """Send a log to a service, as its first user would, and read its pattern."""
    body = json.dumps({"message": "User 123 logged in", "source": "auth"}).encode()
    for path, sent in (("/ingest", body), ("/flush", b"")):
        urllib.request.urlopen(urllib.request.Request(url + path, sent), timeout=60).close()
    with urllib.request.urlopen(f"{url}/patterns", timeout=60) as answer:
        assert json.load(answer)["patterns"][0]["pattern"] == "User {ID} logged in"


def bootstrap(root: Path) -> None:
    """Make the system, with an ordinary user `ann`, and the certificates that this machine trusts."""
    run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", root)
    for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(name).exists():
            shutil.copy(name, f"{root}{name}")
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    run("chroot", root, "useradd", "--create-home", "ann")


def inside(root: Path, user: str, script: str, **environ: str) -> str:
    """Run a script of the shell in the system as a user; its output. Fails the test with it."""
    enter = ("unshare", "--mount", "--fork", "--kill-child", "sh", "-ec", ENTER, "-")
    return run(*enter, root, f"{user}:{user}", "sh", "-ec", script, **environ)


@pytest.fixture(scope="session")
def debian(shared: Path) -> Path:
    """The directory of the system. Skips where no mirror is reached."""
    directory = shared / "debian"
    with made_once(directory) as missing:
        if missing:
            try:
                bootstrap(directory / "root")
            except AssertionError as error:
                (directory / "failed").write_text(str(error))
    if (directory / "failed").exists():
        pytest.skip(f"debootstrap reaches no mirror: {(directory / 'failed').read_text()[-300:]}")
    return directory / "root"
