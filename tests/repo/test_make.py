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
        f'case "$*" in *"import ensurepip"*) [ -f {machine.bin}/asked ];; *) exec {REAL} "$@";; esac',
    )
    done = machine.make_venv()
    assert done.returncode == 0, done.stderr
    assert "-y -q --no-install-recommends python3-venv" in (machine.bin / "asked").read_text()
    assert machine.works()


@pytest.mark.usefixtures("package_registry")
def test_without_ensurepip_another_pip_fills_the_environment(machine):
    machine.python_without("import ensurepip", "-m virtualenv")
    done = machine.make_venv()
    assert done.returncode == 0, done.stderr
    assert machine.works()


def make(*arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_make_alone_shows_every_command():
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"run", "test", "lint", "bench", "bench-scale", "chaos", "soak", "dist", "clean", "help"} == targets
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


def run_ci(tmp_path, script: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/run with a `make` that behaves as `script` says for `make test`."""
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\n[ "$1" = test ] || exit 0\n{script}')
    make.chmod(0o755)
    for program in ("chromium", "npm", "promtool", "pgbouncer"):
        (tmp_path / program).symlink_to("/bin/true")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return subprocess.run(
        [str(ROOT / ".ci/run")], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("outcome", "code"), [("2 passed", 0), ("1 failed, 1 passed", 2)])
def test_ci_ends_with_what_pytest_says(tmp_path, outcome, code):
    said = f"===== {outcome} in 0.12s ====="
    done = run_ci(tmp_path, f'echo "{said}"\n[ {code} = 0 ] || echo "make: *** Error 1" >&2\nexit {code}\n')
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == said


@pytest.mark.parametrize(("again", "code"), [("1 passed", 0), ("1 failed", 2)])
def test_ci_runs_a_few_failed_tests_once_more_alone_and_names_them(tmp_path, again, code):
    script = f"""case "$*" in
*--last-failed*WORKERS=0*) echo "===== {again} in 0.02s ====="; exit {code};;
esac
echo "FAILED tests/x.py::test_of_time - late"
echo "===== 1 failed, 9 passed in 0.12s ====="
exit 2
"""
    done = run_ci(tmp_path, script)
    assert "again, alone: FAILED tests/x.py::test_of_time" in done.stdout
    assert "1 failed, 9 passed" in done.stdout
    assert done.stdout.splitlines()[-1] == f"===== {again} in 0.02s ====="
    assert done.returncode == code


def test_ci_does_not_try_again_when_much_is_broken(tmp_path):
    lines = "\n".join(f'echo "FAILED tests/x.py::test_{number} - broken"' for number in range(9))
    done = run_ci(tmp_path, f'{lines}\necho "===== 9 failed in 0.12s ====="\nexit 2\n')
    assert done.returncode == 2
    assert "again, alone" not in done.stdout


def test_hosted_ci_runs_the_same_script():
    assert "- run: .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text()
