"""The set-up on machines where Debian left something out, and what `make` says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REAL = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"


class Machine:
    """A machine whose programs are exactly those put into `bin`."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.venv = directory / "venv"
        self.bin.mkdir()
        for name in ("sh", "rm"):
            (self.bin / name).symlink_to(f"/bin/{name}")
        self.program("id", "echo 1000")

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def python_without(self, *parts: str) -> None:
        """Python as it is, but what holds one of these words fails."""
        cases = "".join(f'case "$*" in *"{part}"*) exit 1;; esac\n' for part in parts)
        self.program("python3", f'{cases}exec {REAL} "$@"')

    def make_venv(self) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("PIP_") or name in {"HOME", "SSL_CERT_FILE"}
        }
        command = [str(ROOT / "tools/make-venv"), str(self.venv)]
        environment = {**kept, "PATH": str(self.bin)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    def works(self) -> bool:
        command = [str(self.venv / "bin/python"), "-m", "pip", "--version"]
        return str(self.venv) in subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.packages
def test_the_usual_way(machine):
    machine.python_without("no such thing")
    done = machine.make_venv()
    assert (done.returncode, done.stderr) == (0, "")
    assert machine.works()


def test_an_old_python_is_named(machine):
    machine.program("python3", "exit 1")
    done = machine.make_venv()
    assert done.returncode == 1
    assert "Python: 3.11 or newer is needed" in done.stderr
    assert "sudo apt-get install python3 python3-venv" in done.stderr


def test_without_ensurepip_a_person_is_told_what_to_install(machine):
    machine.python_without("import ensurepip", "-m pip", "-m virtualenv")
    done = machine.make_venv()
    assert done.returncode == 1
    assert "sudo apt-get install python3-venv" in done.stderr
    assert not machine.venv.exists()


def test_root_installs_what_is_missing(machine):
    machine.program("id", "echo 0")
    machine.program("apt-get", f'echo "$@" >> {machine.bin}/asked')
    machine.program(
        "python3",
        f'case "$*" in *"import ensurepip"*) [ -f {machine.bin}/asked ];; '
        # What fills an environment is tried in `test_the_usual_way`; it takes seconds.
        f'"-m venv "*) shift 2; exec {REAL} -m venv --without-pip "$@";; *) exec {REAL} "$@";; esac',
    )
    done = machine.make_venv()
    assert done.returncode == 0, done.stderr
    assert "-y -q --no-install-recommends python3-venv" in (machine.bin / "asked").read_text()
    assert (machine.venv / "bin/python").exists()


@pytest.mark.packages
@pytest.mark.usefixtures("package_registry")
def test_without_ensurepip_another_pip_fills_the_environment(machine):
    machine.python_without("import ensurepip", "-m virtualenv")
    done = machine.make_venv()
    assert done.returncode == 0, done.stderr
    assert machine.works()


def make(*arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_make_alone_shows_every_command():
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    groups = {
        "test",
        "test-e2e",
        "test-browser",
        "test-faults",
        "test-packages",
        "test-clients",
        "test-cluster",
        "chaos",
    }
    assert {
        "run",
        "demo-cluster",
        *groups,
        "test-again",
        "test-lowest",
        "fuzz",
        "coverage",
        "lint",
        "docs",
        "bench",
        "bench-scale",
        "soak",
        "dist",
        "sbom",
        "deb",
        "release-check",
        "lock",
        "clean",
        "help",
    } == targets
    shown = make()
    assert all(f"make {target} " in shown for target in targets)


def test_run_installs_the_plugins_of_the_pipeline_and_test_all_of_them():
    everything = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")}
    named = set(re.findall(r"^\[plugins\.([a-z0-9_-]+)\]", (ROOT / "plugins.toml").read_text(), re.MULTILINE))
    assert named <= everything
    packages = {path.parent.name for path in ROOT.glob("packages/*/pyproject.toml")}
    for target, wanted, beside in (("run", named, {"client", "reader", "service"}), ("test", everything, packages)):
        planned = make("--dry-run", "VENV=/nonexistent/venv", target)
        assert set(re.findall(r"-e plugins/([a-z0-9_-]+)", planned)) == wanted
        assert set(re.findall(r"-e packages/([a-z0-9_-]+)", planned)) == beside
        assert "pip" in planned


@pytest.mark.parametrize("group", ["browser", "faults", "packages", "clients", "cluster", "chaos"])
def test_a_group_stands_apart_and_has_a_target(group):
    run, test = make("--dry-run", f"test-{group}" if group != "chaos" else group), make("--dry-run", "test")
    assert f"-m {group}" in run.replace('"', "")
    assert f"not {group}" in test


def group_with_python(tmp_path, script, target):
    """Run a group of tests with a script in place of Python."""
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin/python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    (tmp_path / ".ready-to-test").touch()
    command = ["make", f"VENV={tmp_path}", f"--assume-old={tmp_path}/.ready-to-test", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("directory", ["e2e", "bench"])
def test_whole_services_have_a_group_of_their_own(directory):
    assert f"tests/{directory}" not in make("--dry-run", "test")
    assert f" tests/{directory}" in make("--dry-run", "test-e2e")


@pytest.mark.parametrize(
    ("code", "said", "passes"), [(5, "make test-cluster: the group has no such test", True), (1, "", False)]
)
def test_an_empty_group_says_so_and_passes(tmp_path, code, said, passes):
    done = group_with_python(tmp_path, f"exit {code}", "test-cluster")
    assert (done.returncode == 0) is passes
    assert said in done.stdout


@pytest.mark.parametrize(("workers", "alone"), [(1, 0), (0, 1), (5, 2)])
def test_a_failure_of_either_part_of_a_group_fails_it(tmp_path, workers, alone):
    script = f'case "$*" in *"serial and"*) exit {alone};; esac\nexit {workers}'
    done = group_with_python(tmp_path, script, "test-faults")
    assert done.returncode == 2


def test_several_workers_leave_serial_tests_to_a_run_without_them():
    serial = ["plugins/patterns/tests/test_linear.py", "-m", "serial"]
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", *serial]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "Tests marked `serial` run without -n" in done.stdout


def test_pip_shows_a_line_for_each_package():
    said = "Obtaining file:///x/core\nCollecting aiohttp>=3.14 (from y)\nInstalling collected packages: a, b\nnoise\n"
    shown = subprocess.run([ROOT / "tools/pip-progress"], input=said, capture_output=True, text=True, check=True).stdout
    assert [line.split() for line in shown.splitlines()] == [
        ["1", "file:///x/core"], ["2", "aiohttp>=3.14"], ["Installing", "collected", "packages"]
    ]  # fmt: skip
