"""From nothing to plugins that work: a package of each kind is written, published to an index, installed and run.

The packages' own tests are run where their tutorials are, see `test_tutorials`.
"""

from __future__ import annotations

import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.metadata import Metadata

from log_aggregator_dev.scaffold import KINDS
from tests.e2e.packages.clean import CleanEnvironment, made_once
from tests.support.service import ServiceProcess

STORE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.dashboard]\n"
DEADLINE = 60.0

TABLES = {
    "rules": "",
    "stage": 'words = { timeout = "slow" }\n',
    "sink": 'directory = "{directory}"\n',
    "store": 'path = "{directory}/made.flushes"\n',
    "receiver": 'path = "{directory}/app.log"\ninterval = 0.1\n',
    "page": 'title = "Made"\n',
}
"""Kind → its options in plugins.toml; a command has none."""


class Made(NamedTuple):
    """The environment with a package of each kind in it, from an index."""

    environment: CleanEnvironment
    packages: Path


@pytest.fixture(scope="module")
def made(clean: CleanEnvironment, shared: Path) -> Made:
    """The packages, made and installed by whichever worker comes first: all of them share the environment."""
    directory = shared / "made"
    with made_once(directory) as missing:
        if missing:
            publish_and_install(clean, directory)
    return Made(clean, directory)


def publish_and_install(clean: CleanEnvironment, directory: Path) -> None:
    """What the docs say: `log-aggregator new`, build, upload, `pip install` by name."""
    index = directory / "simple"
    for kind in KINDS:
        clean.run("log-aggregator", "new", kind, f"made-{kind}", cwd=directory)
    packages = [f"./log-aggregator-made-{kind}" for kind in KINDS]
    clean.run("pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", *packages, cwd=directory)
    sdist = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    for package in packages:
        clean.run("python", "-c", sdist, str(directory / "dist"), cwd=directory / package)
    for file in (directory / "dist").iterdir():
        name = file.name.split("-")[0].replace("_", "-")
        (index / name).mkdir(parents=True, exist_ok=True)
        file.rename(index / name / file.name)
        with (index / name / "index.html").open("a") as page:
            page.write(f'<a href="{file.name}">{file.name}</a>\n')
    names = [f"log-aggregator-made-{kind}" for kind in KINDS]
    clean.install("--no-deps", "-i", index.as_uri(), *names)


@pytest.fixture
def serve(made: Made, tmp_path: Path) -> Iterator[Callable[[str], ServiceProcess]]:
    """Start the service of the clean environment with a pipeline, on the same data as before."""
    started: list[ServiceProcess] = []
    (tmp_path / "service").mkdir()

    def start(pipeline: str) -> ServiceProcess:
        for service in started:
            service.stop()
        command = [str(made.environment.programs / "log-aggregator")]
        started.append(ServiceProcess(tmp_path / "service", pipeline, command=command))
        return started[-1].start()

    yield start
    for service in started:
        service.stop()


def pipeline(directory: Path, *, enabled: bool) -> str:
    """All of them, before the plugins of the project."""
    off = "" if enabled else "enabled = false\n"
    tables = [f"[plugins.made-{kind}]\n{off}{options}" for kind, options in TABLES.items()]
    return "".join(tables).replace("{directory}", str(directory)) + STORE


def row(service: ServiceProcess, source: str, message: str) -> dict[str, Any]:
    """Send a log, flush, and return what the store has of its source."""
    assert service.post("/ingest", {"message": message, "source": source})[0] == 202
    service.post("/flush", {})
    (found,) = service.get(f"/patterns?source={source}")["patterns"]
    return dict(found)


def follows(service: ServiceProcess, line: str, deadline: float) -> bool:
    """Whether a line of the file becomes a log in time."""
    ends = time.monotonic() + deadline
    while time.monotonic() < ends:
        service.post("/flush", {})
        if service.get(f"/patterns?q={line}")["patterns"]:
            return True
        time.sleep(0.1)
    return False


def page_of(service: ServiceProcess) -> str:
    """The dashboard's page."""
    with urllib.request.urlopen(service.url, timeout=DEADLINE) as answer:
        return str(answer.read().decode())


@pytest.mark.slow
def test_plugins_of_every_kind_work(made: Made, tmp_path: Path, serve: Callable[[str], ServiceProcess]) -> None:
    (tmp_path / "plugins.toml").write_text(pipeline(tmp_path, enabled=True))
    listed = made.environment.run("log-aggregator", "plugins", cwd=tmp_path)
    for kind in TABLES:
        (line,) = [one for one in listed.splitlines() if f"log-aggregator-made-{kind} 0.1.0" in one]
        assert line.endswith(" on"), line
    assert "good. The pipeline" in made.environment.run("log-aggregator", "check", cwd=tmp_path)
    (tmp_path / "app.log").write_text("line-of-the-file\n")

    service = serve(pipeline(tmp_path, enabled=True))
    found = row(service, "shop", "timeout of ORD-123456")
    assert found["pattern"] == "timeout of {ORDER}", "rules"
    assert found["tags"] == {"slow": 1}, "stage"
    assert any("shop" in path.read_text() for path in tmp_path.glob("*.jsonl")), "sink"
    assert (tmp_path / "made.flushes").stat().st_size > 0, "store"
    assert service.get("/health/db")["detail"].endswith("bytes"), "the store that stands first is read"
    assert follows(service, "line-of-the-file", DEADLINE), "receiver"
    printed = made.environment.run(
        "log-aggregator", "made-command", "--level", "INFO", "--url", service.url, cwd=tmp_path
    )
    assert "1  timeout of {ORDER}" in printed, "command"
    assert "dashboard/plugins/made-page/map.js" in page_of(service), "page"

    (tmp_path / "app.log").write_text("line-of-a-pause\n")
    service = serve(pipeline(tmp_path, enabled=False))
    found = row(service, "off", "timeout of ORD-123456")
    assert found["pattern"] != "timeout of {ORDER}", "rules"
    assert found["tags"] == {}, "stage"
    assert not any('"source": "off"' in path.read_text() for path in tmp_path.glob("*.jsonl")), "sink"
    assert not service.get("/health/db")["detail"].endswith("bytes"), "store"
    assert not follows(service, "line-of-a-pause", 1.0), "receiver"
    assert "made-page" not in page_of(service), "page"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_source_distribution_is_complete(made: Made, kind: str) -> None:
    """What an index asks of it, and what people look for in it."""
    (file,) = (made.packages / "simple" / f"log-aggregator-made-{kind}").glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        information = archive.extractfile(next(name for name in archive.getnames() if name.endswith("/PKG-INFO")))
        assert information is not None
        text = information.read()
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    assert any(name.endswith("py.typed") for name in names)
    metadata = Metadata.from_email(text, validate=True)
    assert metadata.license_expression == "MIT"
    assert metadata.keywords is not None
    assert {"log-aggregator-plugin", f"log-aggregator-{kind}"} <= set(metadata.keywords)
    assert metadata.description_content_type == "text/markdown"
    assert len(str(BytesParser().parsebytes(text).get_payload())) > 100, "the README is the description"
