"""The Debian package: built from the clean environment, installed into an empty root, started there, purged."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.packages.clean import PLUGINS, ROOT, CleanEnvironment
from tests.support.service import ServiceProcess
from tools import build_deb

PYTHON = Path(f"/usr/bin/python3.{sys.version_info.minor}")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here: not a Debian"),
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no {PYTHON} here, which the package would run with"),
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: dpkg gives files to root"),
]


def dpkg(root: Path, *arguments: str | Path) -> str:
    """Run dpkg with an empty root; its scripts run outside of it and are told where it is."""
    (root / "var/lib/dpkg/updates").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/info").mkdir(parents=True, exist_ok=True)
    for name in ("status", "available"):
        (root / "var/lib/dpkg" / name).touch()
    options = ["--force-depends", "--force-script-chrootless", "--force-unsafe-io", "--log=/dev/null"]
    command = ["dpkg", f"--root={root}", *options, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package_is_installed_started_and_purged(clean: CleanEnvironment, tmp_path: Path) -> None:
    package = build_deb.build(clean.directory / "venv", tmp_path, small=False)
    fields = subprocess.run(["dpkg-deb", "--field", package], capture_output=True, text=True, check=True).stdout
    assert f"python3.{sys.version_info.minor}" in re.findall(r"^Depends: (.*)$", fields, re.MULTILINE)[0]
    root = tmp_path / "root"
    dpkg(root, "--install", package)
    owner = {path.lstat().st_uid for path in root.rglob("*")}
    assert owner == {0}

    program = str(root / "usr/bin/log-aggregator")
    shown = subprocess.run([program, "plugins"], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert {line.split()[0] for line in shown.splitlines()} >= set(PLUGINS)
    unit = (root / "lib/systemd/system/log-aggregator.service").read_text()
    assert "ExecStart=/usr/bin/log-aggregator serve" in unit
    assert "PLUGINS_FILE=/etc/log-aggregator/plugins.toml" in unit
    installed = (root / "etc/log-aggregator/plugins.toml").read_text()
    assert installed == (ROOT / "plugins.toml").read_text()

    service = ServiceProcess(tmp_path, installed, command=[program])
    try:
        service.start()
        assert service.post("/ingest", {"message": "User 123 logged in", "source": "shop"})[0] == 202
        service.post("/flush")
        assert service.get("/patterns")["patterns"][0]["pattern"] == "User {ID} logged in"
        assert service.terminate() == 0
    finally:
        service.stop()

    (root / "etc/log-aggregator/plugins.toml").write_text("[plugins.sqlite]\n")
    (root / "var/lib/private/log-aggregator").mkdir(parents=True)
    dpkg(root, "--remove", "log-aggregator")
    assert not (root / "usr/lib/log-aggregator").exists()
    assert (root / "etc/log-aggregator/plugins.toml").read_text() == "[plugins.sqlite]\n"
    assert (root / "var/lib/private/log-aggregator").exists()
    dpkg(root, "--purge", "log-aggregator")
    assert not (root / "var/lib/private/log-aggregator").exists()
    assert not (root / "etc/log-aggregator").exists()


def test_an_environment_without_a_plugin_is_refused(tmp_path: Path) -> None:
    (tmp_path / build_deb.SITE).mkdir(parents=True)
    with pytest.raises(LookupError, match="log-aggregator-service is not installed"):
        build_deb.build(tmp_path, tmp_path / "out")
