"""The plugin: `GET /help` and the pages below it."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Service, hookimpl
from log_aggregator.http.zipped import takes_gzip
from log_aggregator_help.site import ARCHIVE, START, Site

MISSING = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The documentation is not in this installation</title>
<h1>The documentation is not in this installation</h1>
<p>The package <code>log-aggregator-help</code> was built or installed from sources before the documentation was.
In a clone of the repository, run <code>make docs</code>, then start the service again; for an image or a Debian
package, build it again. The packages of a release have the documentation inside.</p>
<p>What the service can be asked is in <a href="docs">its own description of the API</a>, which is always there.</p>
</html>
"""


class HelpConfig(BaseModel):
    """Options of the documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field("/help", pattern="^(/[A-Za-z0-9._~-]+)+$", description="where the documentation is")


class Help:
    """Serves the site that `make docs` built. It tells nothing of the logs, so it asks for no key."""

    Config = HelpConfig

    def __init__(self, config: HelpConfig) -> None:
        self._config = config
        self._site: Site | None = None

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service: Service) -> AsyncIterator[None]:
        """Serve the pages; without a site, one that says how to get it."""
        self._site = await asyncio.to_thread(_open)
        service.add_route("GET", self._config.path, self._start, "open")
        service.add_route("GET", f"{self._config.path}/{{page:.*}}", self._page, "open")
        service.add_stats("help", lambda: {"files": len(self._site.files) if self._site else 0})
        try:
            yield
        finally:
            if self._site is not None:
                self._site.close()

    async def _start(self, request: web.Request) -> web.StreamResponse:
        if self._site is None:
            return _missing(self._config.path.count("/") - 1)
        # Relative, so that it is right below the path of a proxy, too.
        return web.Response(status=302, headers={hdrs.LOCATION: f"{self._config.path.rpartition('/')[2]}/{START}"})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["page"]
        if self._site is None:
            return _missing(self._config.path.count("/") + name.count("/"))
        if not name:
            return web.Response(status=302, headers={hdrs.LOCATION: START})
        file = self._site.files.get(name)
        if file is None:
            raise web.HTTPNotFound
        # Pages are asked for again each time, and answered 304: after an upgrade nobody reads old ones.
        headers = {hdrs.ETAG: file.etag, hdrs.CACHE_CONTROL: "no-cache", hdrs.VARY: hdrs.ACCEPT_ENCODING}
        if request.headers.get(hdrs.IF_NONE_MATCH) == file.etag:
            return web.Response(status=304, headers=headers)
        packed = takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        if packed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = await asyncio.to_thread(self._site.read, file, packed=packed)
        charset = "utf-8" if file.content_type.startswith("text/") else None
        return web.Response(body=body, content_type=file.content_type, charset=charset, headers=headers)


def _open() -> Site | None:
    try:
        return Site(ARCHIVE)
    except (OSError, zipfile.BadZipFile):
        return None


def _missing(depth: int) -> web.Response:
    text = MISSING.replace('href="docs"', f'href="{"../" * depth}docs"')
    return web.Response(status=404, text=text, content_type="text/html")
