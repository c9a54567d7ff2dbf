"""Writes a Debian package with the service, all its plugins and the systemd unit.

`python tools/build_deb.py ENVIRONMENT DIRECTORY`: what is in the environment is put into the package, so it is what
was tried there. An environment of its own goes to /usr/lib/log-aggregator, so no package of Debian is touched, and pip
installs further plugins into it. Made for one version of Python and one architecture: those of the environment.
"""

from __future__ import annotations

import compileall
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PARTS = ROOT / "deploy/deb"
HOME = Path("usr/lib/log-aggregator")
SITE = f"lib/python3.{sys.version_info.minor}/site-packages"
LAUNCHER = """#!/bin/sh
# The environment is found beside this program, so that it runs in another root too.
exec "${0%/bin/log-aggregator}/lib/log-aggregator/bin/python" -m log_aggregator "$@"
"""


def wanted(site: Path) -> Iterator[importlib.metadata.Distribution]:
    """The distributions of an environment that the service and all plugins need. Raises `LookupError`."""
    there = {canonicalize_name(one.name): one for one in importlib.metadata.distributions(path=[str(site)])}
    plugins = sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))
    waiting = [(f"log-aggregator-{name}", "") for name in (*plugins, "service")]
    found: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if name not in there:
            raise LookupError(f"{site}: {name} is not installed; expected an environment with all plugins")
        if (name, extra) in found:
            continue
        if all(name != one for one, _ in found):
            yield there[name]
        found.add((name, extra))
        for needed in map(Requirement, there[name].requires or []):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(needed.name), one) for one in ("", *needed.extras)]


def copy_environment(environment: Path, tree: Path) -> None:
    """Put the environment's distributions into the tree, as a virtual environment of Debian's Python."""
    site, home = environment / SITE, tree / HOME
    for distribution in wanted(site):
        for file in distribution.files or []:
            source = site / file
            if ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
                target = home / SITE / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
    (home / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    (home / "bin").mkdir()
    (home / "bin/python").symlink_to(f"/usr/bin/python3.{sys.version_info.minor}")


def strip(home: Path) -> None:
    """Take out what only debuggers read: half of what the wheels bring. Raises `LookupError` without `strip`."""
    program = shutil.which("strip")
    if program is None:
        raise LookupError("strip: not installed; expected it from Debian's package binutils")
    libraries = [str(path) for path in home.rglob("*.so*") if path.is_file()]
    subprocess.run([program, "--strip-unneeded", *libraries], check=True)  # noqa: S603  our own arguments


def copy_parts(tree: Path) -> None:
    """The unit, the pipeline, the launcher and the papers that a Debian package has."""
    unit = (ROOT / "deploy/log-aggregator.service").read_text(encoding="utf-8")
    texts = {
        "lib/systemd/system/log-aggregator.service": unit[unit.index("[Unit]") :].replace(
            "/opt/log-aggregator/bin/log-aggregator", "/usr/bin/log-aggregator"
        ),
        "etc/log-aggregator/plugins.toml": (ROOT / "plugins.toml").read_text(encoding="utf-8"),
        "usr/bin/log-aggregator": LAUNCHER,
        "usr/share/doc/log-aggregator/copyright": (PARTS / "copyright").read_text(encoding="utf-8"),
        "usr/share/doc/log-aggregator/README.md": (ROOT / "README.md").read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tree / "usr/bin/log-aggregator").chmod(0o755)


def control(tree: Path, version: str, architecture: str) -> str:
    """The package's own paragraph."""
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1024
    minor = sys.version_info.minor
    return (PARTS / "control").read_text(encoding="utf-8").format(
        version=version, architecture=architecture, size=size, python=f"3.{minor}", next=f"3.{minor + 1}"
    )  # fmt: skip


def build(environment: Path, directory: Path, *, small: bool = True) -> Path:
    """Write the package into the directory; its path. Raises `LookupError` and `subprocess.CalledProcessError`.

    `small=False` is for tests: nothing is compiled and compressed, which takes minutes.
    """
    tree = directory / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    copy_environment(environment, tree)
    if small:
        strip(tree / HOME)
        compileall.compile_dir(tree / HOME / SITE, quiet=2, stripdir=str(tree), prependdir="/", workers=1)
    copy_parts(tree)
    (core,) = importlib.metadata.distributions(name="log-aggregator-core", path=[str(environment / SITE)])
    command = [shutil.which("dpkg") or "dpkg", "--print-architecture"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  our own arguments
    architecture = shown.stdout.strip()
    sums = "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.relative_to(tree).parts[0] != "etc"
    )
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(control(tree, core.version, architecture), encoding="utf-8")
    (tree / "DEBIAN/md5sums").write_text(sums, encoding="utf-8")
    (tree / "DEBIAN/conffiles").write_text("/etc/log-aggregator/plugins.toml\n")
    for name in ("postinst", "prerm", "postrm"):
        shutil.copy(PARTS / name, tree / "DEBIAN")
        (tree / "DEBIAN" / name).chmod(0o755)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    package = directory / f"log-aggregator_{core.version}_{architecture}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zxz" if small else "-Znone", "--build", str(tree), str(package)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  our own arguments
    shutil.rmtree(tree)
    return package


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
