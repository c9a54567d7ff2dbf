"""Every wheel on an emulated aarch64, as on a Raspberry Pi with a 64-bit system: those of the lock file, our own, and
Debian's Python, under qemu.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.e2e.packages.clean import ROOT, made_once
from tests.e2e.packages.debian import keeps_a_pattern, run
from tests.support.postgres import free_port
from tests.support.service import STOP_DEADLINE

QEMU = "qemu-aarch64-static"
START_DEADLINE = 300.0
"""Emulated, a start takes ten times as long."""

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("TEST_DEBIAN") or shutil.which(QEMU) is None or shutil.which("debootstrap") is None,
        reason=f"emulates a whole Debian: wants TEST_DEBIAN=1, and apt-get install debootstrap {QEMU[:4]}-user-static",
    ),
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]

PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_26", "manylinux_2_27", "manylinux_2_28", "manylinux_2_34")
COMMAND = (
    "import sys; from log_aggregator.cli.main import main; sys.argv[0] = 'log-aggregator'; raise SystemExit(main())"
)


class Emulated:
    """The files of the system, and the directory of the packages."""

    def __init__(self, system: Path, packages: Path) -> None:
        self.system = system
        self.packages = packages

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs `log-aggregator` there."""
        return [QEMU, "-L", str(self.system), str(self.system / "usr/bin/python3.11"), "-c", COMMAND, *arguments]

    def environ(self, data: Path, **more: str) -> dict[str, str]:
        """What it needs of the environment."""
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.packages), "DATA_DIR": str(data)}
        return given | {"PYTHONDONTWRITEBYTECODE": "1"} | more


@pytest.fixture(scope="session")
def emulated(shared: Path, wheels: Path) -> Emulated:
    """Debian's Python for aarch64, unpacked; the wheels for it, and ours."""
    directory = shared / "aarch64"
    system, packages = directory / "system", directory / "packages"
    with made_once(directory) as missing:
        if missing:
            include = "--include=python3"
            run("debootstrap", "--arch=arm64", "--foreign", "--variant=minbase", include, "bookworm", system)
            for package in sorted(system.glob("var/cache/apt/archives/*.deb")):
                run("dpkg-deb", "--extract", package, system)
            pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", packages)
            kinds = [word for name in PLATFORMS for word in ("--platform", f"{name}_aarch64")]
            kinds += ["--python-version", "3.11", "--implementation", "cp"]
            kinds += [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
            locked = ("--only-binary=:all:", "--require-hashes", "-r", ROOT / "requirements-all.lock")
            run(*pip, *kinds, *locked, PIP_CONSTRAINT="")
            run(*pip, *sorted(wheels.glob("*.whl")), PIP_CONSTRAINT="")
    return Emulated(system, packages)


def test_every_plugin_loads(emulated: Emulated, tmp_path: Path) -> None:
    environ = emulated.environ(tmp_path)
    command = emulated.command("plugins")
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    projects = [tomllib.loads(path.read_text("utf-8"))["project"] for path in ROOT.glob("plugins/*/pyproject.toml")]
    names = {name for one in projects for name in one["entry-points"].get("log_aggregator.plugins", {})}
    shown = {line.split()[0] for line in done.stdout.splitlines() if " log-aggregator-" in line}
    assert shown == names


def test_it_starts_and_keeps_a_pattern(emulated: Emulated, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := str(free_port()))}"
    environ = emulated.environ(tmp_path / "data", PORT=port)
    with subprocess.Popen(emulated.command("serve"), env=environ, cwd=tmp_path) as process:
        try:
            until = time.monotonic() + START_DEADLINE
            while not (tmp_path / "data/service.json").exists():
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
            keeps_a_pattern(url)
        finally:
            process.terminate()
            assert process.wait(STOP_DEADLINE) == 0
