"""The ceiling of the framework: a bare aiohttp handler that reads the body and answers 202."""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web


async def take(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=202, body=b'{"accepted":1}', content_type="application/json")


def main() -> None:
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/ingest", take)
    app.router.add_post("/ingest/batch", take)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), loop=loop, access_log=None, print=None)


if __name__ == "__main__":
    main()
