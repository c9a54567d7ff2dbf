"""The image of the Dockerfile, built by buildah on a Debian 12 in place of its base, and started as a cautious
operator starts it: read-only, and not as root.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.packages.clean import ROOT
from tests.e2e.packages.debian import NEEDED, debian, keeps_a_pattern, run
from tests.repo.test_image import LOAD
from tests.support.postgres import free_port
from tests.support.service import START_DEADLINE, STOP_DEADLINE

__all__ = ["debian"]

pytestmark = [
    NEEDED,
    pytest.mark.skipif(shutil.which("buildah") is None, reason="no buildah here: apt-get install buildah"),
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]

BASES = ("localhost/python:3.11", "localhost/python:3.11-slim")
NAME = "localhost/log-aggregator"
BASE = "FROM scratch\nADD root.tar /\n"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
LARGEST = 90 * 2**20

READ_ONLY = """
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
mount --bind "$2" "$1/data"
mount -t tmpfs tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
root=$1 user=$3; shift 3
exec setpriv --no-new-privs /usr/sbin/chroot --userspec="$user:$user" --groups="$user" "$root" "$@"
"""


class Image:
    """What was built: its files, those of its base, and its settings as an engine reads them."""

    def __init__(self, files: Path, base: Path, config: dict[str, Any]) -> None:
        self.files = files
        self.base = base
        self.config = config

    def start(self, data: Path, *command: str, **environ: str) -> subprocess.Popen[str]:
        """Run a command in it: the files read-only, `/data` this directory, as the user that the image names."""
        enter = ("unshare", "--mount", "--fork", "--kill-child", "sh", "-ec", READ_ONLY, "-")
        given = dict(pair.split("=", 1) for pair in self.config["Env"])
        return subprocess.Popen(
            [*enter, str(self.files), str(data), self.config["User"], *command],
            env={**given, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, data: Path, *command: str, **environ: str) -> str:
        """The same, until it ends; its output. Fails with it."""
        with self.start(data, *command, **environ) as process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return output


def size_of(root: Path) -> int:
    return int(run("du", "--summarize", "--bytes", "--one-file-system", root).split()[0])


def build(debian: Path, directory: Path) -> Image:
    """Build the Dockerfile as it is; only what `FROM` names is ours: a Debian 12 with its Python 3.11."""
    store = ("--storage-driver", "vfs", "--root", str(directory / "store"), "--runroot", str(directory / "run"))

    def buildah(command: str, *arguments: str | Path) -> str:
        return run("buildah", *store, command, *arguments).strip()

    run("tar", "-C", debian, "--exclude=./wheels", "--exclude=./opt", "-cf", directory / "root.tar", ".")
    (directory / "Base").write_text(BASE)
    tags = [word for name in BASES for word in ("--tag", name)]
    buildah("bud", "--isolation", "chroot", *tags, "--file", directory / "Base", directory)
    (directory / "root.tar").unlink()
    trusted = ("--env", f"PIP_CERT={CERTIFICATES}")
    buildah("bud", "--isolation", "chroot", "--pull-never", "--format", "docker", *trusted, "--tag", NAME, ROOT)
    config = json.loads(buildah("inspect", "--type", "image", NAME))["Docker"]["config"]
    config["Env"] = [pair for pair in config["Env"] if not pair.startswith("PIP_CERT=")]
    files, base = (Path(buildah("mount", buildah("from", "--pull-never", name))) for name in (NAME, BASES[1]))
    return Image(files, base, config)


@pytest.fixture(scope="module")
def image(debian: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built once."""
    directory = tmp_path_factory.mktemp("image")
    yield build(debian, directory)
    run("rm", "-rf", "--one-file-system", directory)


@pytest.fixture
def data(tmp_path: Path, image: Image) -> Path:
    """A volume: empty, and of the user of the image."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    os.chown(directory, int(image.config["User"]), int(image.config["User"]))
    return directory


def test_it_is_small_and_has_every_plugin(image: Image, data: Path) -> None:
    grown = size_of(image.files) - size_of(image.base)
    print(f"{grown / 2**20:.1f} MiB over the base")
    assert grown < LARGEST
    names = image.run(data, "/opt/log-aggregator/bin/python", "-c", LOAD).split()
    projects = [tomllib.loads(path.read_text("utf-8"))["project"] for path in ROOT.glob("plugins/*/pyproject.toml")]
    assert names == sorted(name for one in projects for name in one["entry-points"].get("log_aggregator.plugins", {}))


def test_it_runs_read_only_and_not_as_root(image: Image, data: Path) -> None:
    assert image.config["User"] == "10001"
    shown = image.run(data, "sh", "-c", "id -u; touch /opt/x 2>&1 || true; touch /data/x && echo written")
    assert shown.splitlines()[0] == "10001"
    assert "Read-only file system" in shown
    assert shown.splitlines()[-1] == "written"


def test_it_starts_is_healthy_and_keeps_a_pattern(image: Image, data: Path) -> None:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    process = image.start(data, *image.config["Entrypoint"], *image.config["Cmd"], PORT=port, HOST="127.0.0.1")
    try:
        deadline = time.monotonic() + START_DEADLINE
        while not (data / "service.json").exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        _, *check = image.config["Healthcheck"]["Test"]
        image.run(data, *check, PORT=port)
        keeps_a_pattern(url)
    finally:
        pid = json.loads((data / "service.json").read_text())["pid"] if (data / "service.json").exists() else None
        if pid:
            os.kill(pid, signal.SIGTERM)
        said, _ = process.communicate(timeout=STOP_DEADLINE)
        assert process.returncode == 0, said
