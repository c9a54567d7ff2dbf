"""`GET /help` of a service in this process: the pages, what browsers keep of them, and what is said without them."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from log_aggregator.http.access.keys import add_key
from log_aggregator_dev import harness
from log_aggregator_dev.harness import Harness
from log_aggregator_help import plugin
from tools import help_site

PAGE = "<!doctype html><title>Start</title><script>\n  document.title = 'moved';\n</script><p>" + "word " * 900
FILES = {
    "docs/site/index.html": PAGE,
    "README.html": "<p>read me</p><script>\n  document.title = 'moved';\n</script>",
    "_static/a.css": "p { margin: 0 }",
    "_static/a.js.map": "{}",
    "_images/a.svg": "<svg/>",
    "prometheus-rules.yml": "groups: []",
}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small site, packed as `make docs` does it, in place of the one beside the module."""
    for name, text in FILES.items():
        path = tmp_path / "built" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    target = tmp_path / "site.zip"
    help_site.pack(tmp_path / "built", target)
    monkeypatch.setattr(plugin, "ARCHIVE", target)
    return target


@asynccontextmanager
async def running(options: str = "") -> AsyncIterator[tuple[Harness, aiohttp.ClientSession]]:
    async with (
        harness(f"[plugins.sqlite]\n[plugins.help]\n{options}") as service,
        aiohttp.ClientSession(auto_decompress=False) as session,
    ):
        yield service, session


@pytest.mark.usefixtures("archive")
async def test_help_leads_to_the_first_page():
    async with running() as (service, session):
        for path in ("/help", "/help/"):
            async with session.get(service.url + path) as answer:
                assert (answer.status, answer.url.path) == (200, "/help/docs/site/index.html")
                assert answer.content_type == "text/html"
        async with session.get(f"{service.url}/help", allow_redirects=False) as answer:
            assert answer.headers["Location"] == "help/docs/site/index.html", "relative: right behind a proxy's path"
        assert (await service.get("/stats"))["plugins"]["help"]["figures"] == {"files": 6}


@pytest.mark.usefixtures("archive")
async def test_a_page_may_load_only_what_is_of_the_service():
    async with running() as (service, session), session.get(f"{service.url}/help") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        text = gzip.decompress(await answer.read()).decode()
        assert "<script>" not in text
        assert 'src="../../_static/page-' in text


@pytest.mark.usefixtures("archive")
async def test_what_a_browser_has_is_not_sent_again():
    async with running() as (service, session):
        url = f"{service.url}/help/docs/site/index.html"
        async with session.get(url) as answer:
            etag, packed = answer.headers["ETag"], await answer.read()
            assert answer.headers["Content-Encoding"] == "gzip"
            assert len(packed) < len(PAGE) / 10
        async with session.get(url, headers={"If-None-Match": etag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
        async with session.get(url, headers={"If-None-Match": '"another"'}) as answer:
            assert answer.status == 200
        async with session.get(url, headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert (await answer.read()).startswith(b"<!doctype html><title>Start")
        async with session.head(url) as answer:
            assert (answer.status, answer.headers["ETag"]) == (200, etag)


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("README.html", "text/html; charset=utf-8"),
        ("_static/a.css", "text/css; charset=utf-8"),
        ("_images/a.svg", "image/svg+xml"),
        ("prometheus-rules.yml", "text/plain; charset=utf-8"),
    ],
)
async def test_files_have_their_types(name, kind):
    async with running() as (service, session), session.get(f"{service.url}/help/{name}") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize("name", ["missing.html", "_static/a.js.map", "../plugins.toml", "%2e%2e/%2e%2e/etc/passwd"])
async def test_nothing_else_is_served(name):
    async with running() as (service, session):
        async with session.get(aiohttp.client.URL(f"{service.url}/help/{name}", encoded=True)) as answer:
            assert answer.status == 404
        async with session.post(f"{service.url}/help") as answer:
            assert answer.status == 405


async def test_without_the_site_help_says_what_to_do(tmp_path, monkeypatch):
    for archive in (tmp_path / "missing.zip", tmp_path / "broken.zip"):
        (tmp_path / "broken.zip").write_bytes(b"PK no archive")
        monkeypatch.setattr(plugin, "ARCHIVE", archive)
        async with running() as (service, session):
            for path, back in {"/help": "docs", "/help/": "../docs", "/help/docs/site/x.html": "../../../docs"}.items():
                async with session.get(service.url + path) as answer:
                    assert (answer.status, answer.content_type) == (404, "text/html")
                    text = await answer.text()
                    assert "make docs" in text
                    assert f'href="{back}"' in text
            assert (await service.get("/health"))["status"] == "healthy"


@pytest.mark.usefixtures("archive")
async def test_another_path():
    async with running('path = "/about/help"') as (service, session):
        async with session.get(f"{service.url}/about/help") as answer:
            assert (answer.status, answer.url.path) == (200, "/about/help/docs/site/index.html")
        async with session.get(f"{service.url}/help") as answer:
            assert answer.status == 404


@pytest.mark.usefixtures("archive")
async def test_no_key_is_asked_for(tmp_path):
    file = tmp_path / "keys.toml"
    add_key(file, "reader", ["read"])
    async with harness("[plugins.sqlite]\n[plugins.help]\n", environ={"API_KEYS_FILE": str(file)}) as service:
        assert (await service.request("GET", "/patterns")).status == 401
        assert (await service.request("GET", "/help")).status == 200


def test_the_same_site_gives_the_same_archive(archive, tmp_path):
    again = tmp_path / "again.zip"
    assert help_site.pack(tmp_path / "built", again) == 6
    assert again.read_bytes() == archive.read_bytes()


def test_an_empty_site_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no files; expected the site"):
        help_site.pack(tmp_path, tmp_path / "site.zip")
