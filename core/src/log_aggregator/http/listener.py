"""The listening socket: how many connections, how long an idle one stays, and what is not even HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from aiohttp import web

from log_aggregator.config.settings import Settings
from log_aggregator.http.accepting import Acceptor, Lost
from log_aggregator.http.app import STOPPING
from log_aggregator.http.connection import Connection, Refusal
from log_aggregator.http.connections import Connections
from log_aggregator.http.fast_path import Whole, with_shortcuts
from log_aggregator.http.problem import busy
from log_aggregator.http.sharing import Turns
from log_aggregator.http.tls import HANDSHAKE, server_context

IDLE_TIMEOUT = 75.0
"""Seconds that a connection may stay without a complete request header, longer than proxies wait."""


LINGER = 3.0
"""Seconds that a refused body is still read and thrown away, so that its sender gets to read the answer."""


FINISH_REQUESTS = 3.0
"""Seconds that requests under way get when the service stops; what they sent is drained after that."""


RELOAD_PATIENCE = 5.0
"""Seconds that a request waits while the service reloads, before it is answered 503."""


class Gate:
    """Between the connections and the application: while it is closed, requests wait for the next application."""

    def __init__(self) -> None:
        self._whole: Whole | None = None
        self._opened = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()  # of the connections: one request at a time each
        self._idle = asyncio.Event()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The application's answer; 503 when there is none in time."""
        whole = self._whole or await self._next()
        if whole is None:
            return busy(503, "the service is reloading: try again", 1.0).response()
        task, connection = request.task, request.protocol
        assert isinstance(connection, Connection)
        connection.works()
        self._under_way.add(task)
        try:
            return await whole(request)
        finally:
            connection.rests()
            self._under_way.discard(task)
            if self._whole is None and not self._under_way:
                self._idle.set()

    async def _next(self) -> Whole | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RELOAD_PATIENCE):
                while self._whole is None:
                    await self._opened.wait()
        return self._whole

    def open(self, whole: Whole) -> None:
        """Let requests in to this application."""
        self._whole = whole
        self._opened.set()

    async def close(self) -> None:
        """Keep new requests waiting; let those under way finish, `FINISH_REQUESTS` at most."""
        self._whole = None
        self._opened.clear()
        if not await self._becomes_idle():
            for task in self._under_way:
                task.cancel()
            await self._becomes_idle()

    async def _becomes_idle(self) -> bool:
        """Whether all requests under way finish in time."""
        self._idle.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_REQUESTS):
                while self._under_way:
                    await self._idle.wait()
        return not self._under_way


class Listener:
    """Serves an application on one address, and another one after it without closing a connection.

    Raises `ConfigError` when the files for TLS are wrong; `resume` reads them again.
    """

    def __init__(self, app: web.Application, settings: Settings) -> None:
        self._settings = settings
        self._tls = server_context(settings)
        self._held = Connections(settings)
        self._gate = Gate()
        self._app = app
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=FINISH_REQUESTS)
        self._later: web.AppRunner | None = None
        self._servers: list[asyncio.Server] = []
        self._acceptor: Acceptor | None = None
        self._port = 0

    async def start(self) -> None:
        """Listen. Raises `OSError` when the address cannot be had."""
        await self._set_up()
        loop, settings = asyncio.get_running_loop(), self._settings
        server = await loop.create_server(
            self._connection,
            settings.host,
            settings.port,
            backlog=1024,
            ssl=self._tls,
            ssl_handshake_timeout=self._handshake(),
        )
        self._servers = [server]
        self._port = server.sockets[0].getsockname()[1]

    async def start_on(self, listening: socket.socket, turns: Turns) -> None:
        """Take connections from a socket that listens already, which several workers share."""
        await self._set_up()
        self._port = listening.getsockname()[1]
        self._acceptor = Acceptor(listening, turns, self._connection, self._tls)
        self._acceptor.start()

    async def _set_up(self) -> None:
        await self._runner.setup()
        server = self._runner.server
        assert server is not None
        self._gate.open(with_shortcuts(self._app, server.request_handler))
        server.request_handler = self._gate.answer

    @property
    def port(self) -> int:
        """The port that is listened on; the one that the system chose when 0 was asked for."""
        return self._port

    async def stop_listening(self) -> None:
        """Take no new connections; those that are open go on."""
        for server in self._servers:
            server.close()
        if self._acceptor is not None:
            self._acceptor.stop()

    async def pause(self) -> None:
        """Let the requests under way finish; those that come then wait for `resume`, connections stay open."""
        self._app[STOPPING].set()
        await self._gate.close()
        if self._later is not None:
            await self._later.cleanup()

    async def resume(self, app: web.Application) -> None:
        """Answer with this application from now on."""
        self._later = web.AppRunner(app, access_log=None)
        await self._later.setup()
        assert self._later.server is not None
        await self._renew_tls()
        self._app = app
        self._gate.open(with_shortcuts(app, self._later.server.request_handler))

    async def stop(self) -> None:
        """Let the requests under way finish (`FINISH_REQUESTS` at most), then close everything."""
        self._app[STOPPING].set()
        await self.stop_listening()
        if self._acceptor is not None:
            await self._acceptor.close()
        await self._runner.cleanup()
        if self._later is not None:
            await self._later.cleanup()

    async def _renew_tls(self) -> None:
        """New connections get the certificate that the files hold now. Those that are open keep theirs."""
        if self._tls is None:
            return
        self._tls = await asyncio.to_thread(server_context, self._settings)
        if self._acceptor is not None:
            self._acceptor.tls = self._tls
        # Copies of the listening sockets go on: connections that wait in them are taken by the next server.
        sockets = [
            socket.fromfd(listening.fileno(), listening.family, listening.type)
            for server in self._servers
            for listening in server.sockets
        ]
        for server in self._servers:
            server.close()
        loop = asyncio.get_running_loop()
        self._servers = [
            await loop.create_server(self._connection, sock=one, ssl=self._tls, ssl_handshake_timeout=self._handshake())
            for one in sockets
        ]

    def _handshake(self) -> float | None:
        return None if self._tls is None else HANDSHAKE

    def _connection(self, lost: Lost | None = None) -> asyncio.Protocol:
        server = self._runner.server
        assert server is not None
        if len(server.connections) >= self._settings.max_connections and not self._held.make_room():
            return Refusal(lost)
        return Connection(
            server,
            held=self._held,
            lost=lost,
            loop=asyncio.get_running_loop(),
            access_log=None,  # what turns it off
            keepalive_timeout=IDLE_TIMEOUT,
            lingering_time=LINGER,
            auto_decompress=False,
        )
