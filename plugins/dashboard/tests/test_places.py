"""Places of other plugins: named in the navigation, drawn by their modules, and told when they are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from log_aggregator import ConfigError, hookimpl
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.plugins.registry import Registry
from log_aggregator_dev.scaffold import Names, files_of
from tests.support.service import ServiceProcess

PIPELINE = """plugins_dir = "{directory}"
[plugins.atlas]
[plugins.broken]
[plugins.patterns]
[plugins.sqlite]
[plugins.dashboard]
"""
BROKEN = '''"""A panel whose module fails."""
from pathlib import Path
from log_aggregator import hookimpl
from pydantic import BaseModel, ConfigDict

class Broken:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
    def __init__(self, config):
        pass
    @hookimpl(optionalhook=True)
    def dashboard_places(self):
        directory = Path(__file__).with_name("broken_page")
        return [{"place": "overview", "title": "Broken", "module": "broken.js", "directory": directory}]
'''


def _write(directory: Path, kind: str, name: str) -> None:
    """The files of a new package, as a plugin in a single file."""
    package = Names.of(name).values(kind)["package"]
    for path, text in files_of(kind, Names.of(name)).items():
        if path.startswith(f"src/{package}/") and not path.endswith("py.typed"):
            inside = path.removeprefix(f"src/{package}/").replace("__init__.py", f"{name}.py")
            (directory / inside).parent.mkdir(parents=True, exist_ok=True)
            (directory / inside).write_text(text)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with a page, a panel of patterns and a panel that fails."""
    directory = tmp_path_factory.mktemp("plugins")
    _write(directory, "page", "atlas")
    (directory / "broken.py").write_text(BROKEN)
    (directory / "broken_page").mkdir()
    (directory / "broken_page" / "broken.js").write_text("export function show() { throw new Error('it fails'); }")
    pipeline = PIPELINE.replace("{directory}", str(directory))
    service = ServiceProcess(tmp_path_factory.mktemp("places"), pipeline).start()
    logs = [{"message": f"User {n} logged in", "source": "auth"} for n in range(9)]
    logs += [{"message": "disk full", "source": "<b>shop</b>", "level": "ERROR"}]
    assert service.post("/ingest/batch", logs)[0] == 202
    assert service.post("/flush")[1]["sealed"]
    yield service
    service.stop()


@pytest.fixture
def full(places: ServiceProcess) -> ServiceProcess:
    """What `visit` visits."""
    return places


def test_a_page_is_in_the_navigation_and_draws_a_map(visit: Callable[..., Any]) -> None:
    page = visit().open("#/")
    page.locator("#nav a", has_text="Map").click()
    expect_text = page.locator("main svg a title")
    expect_text.first.wait_for(state="attached")
    assert expect_text.all_text_contents() == ["auth: 9 logs, 0 % errors", "<b>shop</b>: 1 logs, 100 % errors"]
    assert page.title() == "Map · Log aggregator"
    page.locator("main svg a").first.click()
    page.locator(".line .pattern").first.wait_for()
    assert "source=auth" in page.url


def test_a_pattern_has_the_panel_of_a_plugin(visit: Callable[..., Any], places: ServiceProcess) -> None:
    (row,) = places.get("/patterns?level=ERROR")["patterns"]
    page = visit().open(f"#/pattern/{row['pattern_id']}")
    panel = page.locator("section[aria-label='Share of its sources']")
    panel.locator("li").first.wait_for()
    assert "100 %" in panel.locator("li").first.text_content()


def test_a_panel_that_fails_says_whose_it_is_and_harms_no_other(visit: Callable[..., Any]) -> None:
    page = visit().open("#/")
    panel = page.locator("section[aria-label='Broken']")
    panel.locator("[role=alert]").wait_for()
    assert "it fails" in panel.text_content()
    assert "This part is of the plugin broken." in panel.text_content()
    page.locator("section[aria-label='Logs by level'] svg").wait_for()


def test_only_files_of_the_directory_are_served(places: ServiceProcess) -> None:
    # Without asyncio: the browser of this module has a running loop in this thread.
    with urlopen(f"{places.url}/dashboard/plugins/atlas/map.js") as answer:
        assert (answer.status, answer.headers.get_content_type()) == (200, "text/javascript")
    for path in ("atlas/nothing.js", "nobody/map.js", "atlas/..%2Fatlas.py", "broken/map.js"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{places.url}/dashboard/plugins/{path}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"titel": "x"}, "entry 1: titel: unknown key; expected some of place, title, module, directory, wide"),
        ({"place": "panel"}, "entry 1: place = 'panel': Input should be 'page', 'overview' or 'pattern'"),
        ({"title": None}, "entry 1: title = None: Input should be a valid string"),
        ({"module": "other.js"}, "entry 1: module = 'other.js': no such file in"),
        ({"module": "../x.js"}, "entry 1: module = '../x.js': String should match pattern"),
    ],
)
def test_a_wrong_place_stops_the_start_with_one_line(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    class Mine:
        @hookimpl(optionalhook=True)
        def dashboard_places(self) -> list[dict[str, Any]]:
            return [{"place": "page", "title": "Map", "module": "map.js", "directory": tmp_path, **change}]

    (tmp_path / "map.js").touch()
    with pytest.raises(ConfigError) as caught:
        Registry(parse_plugins("[plugins.dashboard]\n[plugins.mine]\n"), {}, {"mine": Mine()})
    assert f"plugin mine: dashboard_places: {said}" in str(caught.value)


def test_a_plugin_has_one_page(tmp_path: Path) -> None:
    class Mine:
        @hookimpl(optionalhook=True)
        def dashboard_places(self) -> list[dict[str, Any]]:
            return [{"place": "page", "title": "Map", "module": "map.js", "directory": tmp_path}] * 2

    (tmp_path / "map.js").touch()
    with pytest.raises(ConfigError, match="plugin mine: dashboard_places: two pages; expected one at most"):
        Registry(parse_plugins("[plugins.dashboard]\n[plugins.mine]\n"), {}, {"mine": Mine()})


def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    class Mine:
        @hookimpl(optionalhook=True)
        def dashboard_places(self) -> list[dict[str, Any]]:
            return [{"place": "page", "title": "Map", "module": "map.js", "directory": tmp_path}]

    (tmp_path / "map.js").touch()
    (tmp_path / "world.svg").write_bytes(bytes(1_000_001))
    with pytest.raises(ConfigError) as caught:
        Registry(parse_plugins("[plugins.dashboard]\n[plugins.mine]\n"), {}, {"mine": Mine()})
    assert str(caught.value).endswith("entry 1: world.svg has 1000001 bytes; expected at most 1000000")
