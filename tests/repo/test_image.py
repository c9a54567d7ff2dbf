"""The image, the compose file and the systemd unit, as far as they can be tried where no engine runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from log_aggregator.config.settings import Settings
from log_aggregator.http.access.exposure import access_of, check_exposure
from tests.support.service import ServiceProcess

ROOT = Path(__file__).parents[2]
HOME = "/opt/log-aggregator"

LOAD = """
import importlib.metadata
for point in sorted(importlib.metadata.entry_points(group="log_aggregator.plugins")):
    point.load()
    print(point.name)
"""
COMPILED = 2.5
"""What Python takes with its compiled form, which an image has; measured: 2.2 times the text."""

Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """The Dockerfile's instructions, stage by stage, continued lines joined."""
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


def values(stage: list[Instruction], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


def environment(stage: list[Instruction]) -> dict[str, str]:
    return dict(pair.split("=", 1) for line in values(stage, "ENV") for pair in shlex.split(line))


def test_the_image_is_small_and_harmless():
    build, image = stages()
    installs = [step for line in values(build, "RUN") for step in line.split("&&") if "pip install" in step]
    assert all("--require-hashes" in step or "--no-deps" in step for step in installs)
    assert values(build, "FROM") == ["python:3.11 AS build"]
    assert values(image, "FROM") == ["python:3.11-slim"]
    assert values(image, "USER") == ["10001"]
    assert values(image, "VOLUME") == ["/data"]
    assert values(image, "EXPOSE") == ["8004"]
    assert values(image, "ENTRYPOINT") + values(image, "CMD") == ['["log-aggregator"]', '["serve"]']
    assert len(values(image, "RUN")) == 1
    for line in values(build, "RUN"):
        assert "apt-get" not in line
        assert all("--no-cache-dir" in step for step in line.split("&&") if "pip install" in step)


def test_the_builder_of_debian_12_knows_every_option():
    """Docker 20.10 refuses `HEALTHCHECK --start-interval`, and knows `RUN --mount` and heredocs only with BuildKit."""
    (check,) = values(stages()[1], "HEALTHCHECK")
    assert set(re.findall(r"--([a-z-]+)=", check.partition(" CMD ")[0])) <= {
        "interval", "timeout", "start-period", "retries"
    }  # fmt: skip
    for line in [line for stage in stages() for word in ("RUN", "COPY") for line in values(stage, word)]:
        assert not re.match(r"--(?!from=)", line)
        assert "<<" not in line


def test_the_images_settings_are_settings():
    given = {
        name: value for name, value in environment(stages()[1]).items() if name not in {"PATH", "PYTHONUNBUFFERED"}
    }
    settings = Settings.model_validate({name.lower(): value for name, value in given.items()})
    assert (settings.host, settings.port) == ("0.0.0.0", 8004)
    assert access_of(settings) == "anonymous", "whoever publishes the port decides"
    check_exposure(settings)


def test_what_the_image_copies_is_not_ignored():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    kept = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        name
        for stage in stages()
        for line in values(stage, "COPY")
        if "--from" not in line
        for name in line.split()[:-1]
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def run_in(directory: Path, command: str) -> None:
    """Run one RUN line as the image does: with a shell, and without this project's own environment."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    clean["PIP_NO_COMPILE"] = "1"  # half of the time, and Python compiles what it runs anyway
    shell = ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(shell, cwd=directory, env=clean, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.packages
@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("strip") is None, reason="no strip here, which `.ci/run` installs")
@pytest.mark.usefixtures("package_registry")
def test_the_install_steps_make_a_service_that_is_healthy(tmp_path):
    """Run the build stage's RUN lines in a clean directory, start what they made, ask as HEALTHCHECK asks."""
    build, image = stages()
    work, home = tmp_path / "build", tmp_path / "home"
    work.mkdir()
    for line in values(build, "COPY"):
        for name in line.split()[:-1]:
            source = ROOT / name
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "tests")
            shutil.copytree(source, work / name, ignore=ignore) if source.is_dir() else shutil.copy(source, work)
    for line in values(build, "RUN"):
        run_in(work, line.replace(HOME, str(home)))
    assert not (home / "bin/pip").exists()
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size * (COMPILED if path.suffix == ".py" else 1) for path in files)
    assert size < 90 * 2**20
    named = subprocess.run([home / "bin/python", "-c", LOAD], capture_output=True, text=True, timeout=60, check=False)
    assert named.returncode == 0, named.stderr
    projects = [tomllib.loads(path.read_text("utf-8"))["project"] for path in ROOT.glob("plugins/*/pyproject.toml")]
    declared = [name for project in projects for name in project["entry-points"].get("log_aggregator.plugins", {})]
    assert named.stdout.split() == sorted(declared)
    given = {
        name: value
        for name, value in environment(image).items()
        if name not in {"PATH", "PORT", "DATA_DIR", "PLUGINS_FILE", "HOST"}
    }
    service = ServiceProcess(
        tmp_path, (ROOT / "plugins.toml").read_text(), given, command=[str(home / "bin/log-aggregator")]
    )
    try:
        service.start()
        (check,) = values(image, "HEALTHCHECK")
        command = json.loads(check[check.index("CMD ") + 4 :])
        port = service.url.rpartition(":")[2]
        command[0] = str(home / "bin/log-aggregator")
        asked = subprocess.run(command, env={"PORT": port}, timeout=60, check=False, capture_output=True, text=True)
        assert asked.returncode == 0, asked.stderr
        assert service.terminate() == 0
        asked = subprocess.run(command, env={"PORT": port}, timeout=60, check=False, capture_output=True)
        assert asked.returncode != 0
    finally:
        service.stop()


def test_compose_starts_the_service_with_postgresql():
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    service, postgres = document["services"]["log-aggregator"], document["services"]["postgres"]
    given = service["environment"]
    assert given["POSTGRES_HOST"] == "postgres"
    for name in ("DB", "USER", "PASSWORD"):
        assert given[f"POSTGRES_{name}"] == postgres["environment"][f"POSTGRES_{name}"]
    assert ":?" in given["POSTGRES_PASSWORD"], "a password that nobody chose"
    known = {name.upper() for name in Settings.model_fields}
    assert {name for name in given if not name.startswith("POSTGRES_")} <= known
    grace = int(service["stop_grace_period"].rstrip("s"))
    assert grace > Settings.model_fields["shutdown_timeout"].default + 5
    (volume,) = service["volumes"]
    assert volume.split(":")[0] in document["volumes"]
    assert volume.split(":")[1] == environment(stages()[1])["DATA_DIR"]
    pipeline = tomllib.loads((ROOT / "plugins.toml").read_text())["plugins"]
    assert pipeline["postgres"]["when"] == pipeline["sqlite"]["unless"] == "POSTGRES_HOST"


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (ROOT / "deploy/log-aggregator.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_systemd_unit_drains_and_keeps_its_data():
    given = dict(pair.split("=", 1) for pair in unit()["Environment"])
    Settings.model_validate({name.lower(): value for name, value in given.items()})
    assert given["DATA_DIR"] == "/var/lib/" + unit()["StateDirectory"][0]
    assert float(unit()["TimeoutStopSec"][0]) > Settings.model_fields["shutdown_timeout"].default + 5
    assert unit()["DynamicUser"] == ["yes"]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="no systemd-analyze here, which `.ci/run` installs: apt-get install systemd",
)
def test_systemd_understands_the_unit(tmp_path):
    program = tmp_path / "log-aggregator"
    program.touch(mode=0o755)
    path = tmp_path / "log-aggregator.service"
    path.write_text(
        (ROOT / "deploy/log-aggregator.service").read_text().replace(f"{HOME}/bin/log-aggregator", str(program))
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "log-aggregator.service" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


needs_systemd_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="no systemd-analyze here, which `.ci/run` installs: apt-get install systemd",
)


@needs_systemd_analyze
def test_systemd_finds_the_unit_little_exposed():
    """`--threshold` is in tenths; offline it judges the file and not this machine."""
    path = str(ROOT / "deploy/log-aggregator.service")
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


def allowed_calls() -> set[str]:
    """The system calls that the unit leaves to the service."""

    def members(name: str) -> set[str]:
        command = ["systemd-analyze", "syscall-filter", "--no-pager", name]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        words = {line.strip() for line in shown.splitlines()[1:] if line.strip() and not line.strip().startswith("#")}
        return {call for word in words for call in (members(word) if word.startswith("@") else {word})}

    allowed: set[str] = set()
    for line in unit()["SystemCallFilter"]:
        for word in line.removeprefix("~").split():
            allowed = allowed - members(word) if line.startswith("~") else allowed | members(word)
    return allowed


@needs_systemd_analyze
@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here, which `.ci/run` installs")
def test_the_unit_allows_every_system_call_that_the_service_makes(tmp_path):
    trace = tmp_path / "calls"
    service = ServiceProcess(tmp_path, (ROOT / "plugins.toml").read_text())
    service.start()
    tracer = subprocess.Popen(
        ["strace", "-f", "-o", str(trace), "-p", str(service.running.pid)], stderr=subprocess.PIPE, text=True
    )
    assert tracer.stderr is not None
    if "attached" not in tracer.stderr.readline():
        service.stop()
        pytest.skip("strace may not trace here")
    try:
        assert service.post("/ingest", {"message": "up"})[0] == 202
        assert service.post("/flush")[0] == 200
        assert service.get("/health")["status"] == "healthy"
        service.running.send_signal(signal.SIGHUP)
        assert service.post("/ingest", {"message": "up"})[0] == 202
        assert service.terminate() == 0
    finally:
        service.stop()
        tracer.wait(60)
        tracer.stderr.close()
    made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE))
    as_root = {"fchown", "chown"}  # SQLite gives a file to the owner of its directory, when it is root
    assert len(made) > 20
    assert made - as_root - allowed_calls() == set()


@pytest.mark.parametrize("environ", [{}, {"HOST": "0.0.0.0", "ALLOW_ANONYMOUS": "1"}], ids=["loopback", "image"])
def test_the_health_check_asks_the_service_itself(start_service, environ):
    (check,) = values(stages()[1], "HEALTHCHECK")
    program, *arguments = json.loads(check[check.index("CMD ") + 4 :])
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    service = start_service(environ=environ)
    given = {"PORT": service.url.rpartition(":")[2], **environ}
    assert subprocess.run(command, env=given, timeout=60, check=False).returncode == 0
    assert service.terminate() == 0
    assert subprocess.run(command, env=given, timeout=60, check=False).returncode == 1
