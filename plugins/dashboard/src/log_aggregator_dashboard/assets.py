"""The files of the page: read once, sent compressed, kept by browsers only as long as they stay the same."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from importlib import resources

from aiohttp import hdrs, web

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""Which files are sent, and as what."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Stricter than the service's own for pages: no inline style, and no HTML that is made from a string."""

LANGUAGES = ("en", "de")
"""The languages of the page, each with a module of its texts; the first one is for all other readers."""

_FRAME = "main"
_IMPORT = re.compile(r'^import .* from "\./(\w+)\.js";$', re.MULTILINE)
_PAGE = re.compile(r'later\("(\w+)", "')

SHOWN = (".html", ".svg")
"""What a browser shows by itself: only there does a policy hold. On each of fifty modules it would be 12 kB a view."""


class Asset:
    """One file, ready to be sent."""

    def __init__(self, name: str, body: bytes) -> None:
        suffix = name[name.rindex(".") :]
        self._name = name
        self._policy = {"Content-Security-Policy": POLICY} if suffix in SHOWN else {}
        self._plain, self._packed = body, gzip.compress(body, mtime=0)
        self._page = suffix == ".html"
        self._etag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        self._type = TYPES[suffix]

    def filled(self, values: dict[str, str]) -> Asset:
        """The file with each `{{name}}` replaced by the value of that name."""
        body = self._plain
        for name, value in values.items():
            body = body.replace(b"{{%b}}" % name.encode(), html.escape(value).encode())
        return Asset(self._name, body)

    def response(self, request: web.Request, *, immutable: bool = False) -> web.Response:
        """The file, or 304 when the browser has it. `immutable`: its address changes when any file changes."""
        headers = {
            hdrs.ETAG: self._etag,
            hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable" if immutable else "no-cache",
            hdrs.VARY: f"{hdrs.ACCEPT_ENCODING}, {hdrs.ACCEPT_LANGUAGE}" if self._page else hdrs.ACCEPT_ENCODING,
            **self._policy,
        }
        if request.headers.get(hdrs.IF_NONE_MATCH) == self._etag:
            return web.Response(status=304, headers=headers)
        packed = "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        if packed:
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        body = self._packed if packed else self._plain
        return web.Response(body=body, content_type=self._type, charset="utf-8", headers=headers)


def read_assets(values: dict[str, str]) -> tuple[str, dict[str, Asset]]:
    """The version of all files of the folder `assets`, and the files by name.

    In `index.html`, `{{name}}` becomes the value of that name, and `{{version}}` the version;
    the modules of the frame are preloaded, so that none waits for another one that imports it, and `early.js` does the
    same with those of the page that is opened first.
    """
    bodies = {file.name: file.read_bytes() for file in resources.files(__package__).joinpath("assets").iterdir()}
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(bodies):
        digest.update(b"%b\0%b\0" % (name.encode(), bodies[name]))
    version = digest.hexdigest()
    pages = _modules_of_pages({name[:-3]: body.decode() for name, body in bodies.items() if name.endswith(".js")})
    links = [f'<link rel="modulepreload" href="dashboard/{version}/{name}.js">' for name in sorted(pages.pop(_FRAME))]
    bodies["index.html"] = bodies["index.html"].replace(b"<!-- modules -->", "\n".join(links).encode())
    assets = {name: Asset(name, body) for name, body in bodies.items()}
    assets["index.html"] = assets["index.html"].filled({**values, "version": version, "modules": json.dumps(pages)})
    return version, assets


def _modules_of_pages(texts: dict[str, str]) -> dict[str, list[str]]:
    """The modules that the frame imports, at once or later on, and those that each page needs beside them, by page."""

    def closure(name: str) -> set[str]:
        found, waiting = set(), {name}
        while waiting:
            found.add(one := waiting.pop())
            waiting |= set(_IMPORT.findall(texts[one])) - found
        return found

    frame = closure(_FRAME)
    pages = {name: sorted(closure(name) - frame) for name in _PAGE.findall(texts[_FRAME])}
    return {_FRAME: sorted(frame), **pages}


def language_of(accepted: str) -> str:
    """The first language of an `Accept-Language` that the page has; browsers send the preferred one first."""
    tags = (tag.split(";")[0].split("-")[0].strip().lower() for tag in accepted.split(","))
    return next((tag for tag in tags if tag in LANGUAGES), LANGUAGES[0])
