"""What plugins run and listen on: begun when logs may be accepted, ended before the drain."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from log_aggregator.config.place import Place
from log_aggregator.config.settings import Settings
from log_aggregator.errors import ConfigError
from log_aggregator.listeners import Limits, Listener, Memory, TcpListener, Tls, UdpListener
from log_aggregator.listeners.addresses import Endpoint, networks
from log_aggregator.listeners.reasons import cannot_listen
from log_aggregator.listeners.tcp import ConnectionHandler
from log_aggregator.listeners.udp import DatagramHandler
from log_aggregator.plugins.isolation.where_raised import package_of, where_raised
from log_aggregator.plugins.supervised import SupervisedTask

LARGE_FRAMES = 2
"""How many of the largest bodies' memory frames of all connections may take, as HTTP's bodies may."""


class Receivers:
    """The tasks and listeners of all plugins of this process."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self._settings = settings
        self._is_shared = place.total > 1
        self._only_drains = place.listen == -1
        self._memory = Memory(LARGE_FRAMES * settings.max_decompressed_bytes)
        self._parts: list[SupervisedTask | Listener] = []
        self._started = False

    def run(self, plugin: str, name: str, work: Callable[[], Awaitable[None]]) -> SupervisedTask:
        """Supervise a plugin's task."""
        task = SupervisedTask(plugin, name, work)
        self._add(task)
        return task

    def listen_tcp(
        self,
        plugin: str,
        address: str,
        handler: ConnectionHandler,
        *,
        tls: Tls | None = None,
        allow: Iterable[str] = (),
        **limits: int | None,
    ) -> Listener:
        """Listen on a TCP port. Raises `ConfigError`."""
        endpoint, all_limits = _endpoint(address), self._limits(address, allow, limits)
        if self._only_drains:
            return Listener(plugin, "tcp", endpoint, endpoint.port)
        bound = self._bound(endpoint, socket.SOCK_STREAM)
        try:
            listener = TcpListener(plugin, endpoint, bound, handler, all_limits, self._memory, tls, _describe(handler))
        except ValueError as error:
            bound.close()
            raise ConfigError(f"{address}: {error}") from None
        self._add(listener)
        return listener

    def listen_udp(self, plugin: str, address: str, handler: DatagramHandler, *, allow: Iterable[str] = ()) -> Listener:
        """Listen on a UDP port. Raises `ConfigError`."""
        endpoint, limits = _endpoint(address), self._limits(address, allow, {})
        if self._only_drains:
            return Listener(plugin, "udp", endpoint, endpoint.port)
        bound = self._bound(endpoint, socket.SOCK_DGRAM)
        listener = UdpListener(plugin, endpoint, bound, handler, limits, _describe(handler))
        self._add(listener)
        return listener

    def start(self) -> None:
        """Begin: logs may be accepted from now on."""
        self._started = True
        if not self._only_drains:
            for part in self._parts:
                part.start()

    async def stop(self) -> None:
        """End every task, and every listener once what it received is taken in."""
        parts, self._parts = self._parts, []
        await asyncio.gather(*(part.stop() for part in parts))

    def stats(self) -> dict[str, Any]:
        """What `/stats` shows of the listeners."""
        return {part.name: part.stats() for part in self._parts if isinstance(part, Listener)}

    def _add(self, part: SupervisedTask | Listener) -> None:
        self._parts.append(part)
        if self._started and not self._only_drains:
            part.start()

    def _limits(self, address: str, allow: Iterable[str], limits: dict[str, int | None]) -> Limits:
        connections = limits.get("max_connections") or self._settings.max_connections
        try:
            allowed = networks(allow)
        except ValueError as error:
            raise ConfigError(f"{address}: allow: {error}") from None
        return Limits(
            connections,
            limits.get("max_per_client") or max(1, connections // 2),
            limits.get("max_frame") or Limits().frame_bytes,
            self._settings.body_timeout,
            allowed,
        )

    def _bound(self, endpoint: Endpoint, kind: socket.SocketKind) -> socket.socket:
        try:
            return endpoint.bind(kind, is_shared=self._is_shared)
        except OSError as error:
            raise ConfigError(cannot_listen(str(endpoint), error)) from None


def _describe(handler: Callable[..., object]) -> Callable[[BaseException], str]:
    return partial(where_raised, package=package_of(handler))


def _endpoint(address: str) -> Endpoint:
    try:
        return Endpoint.parse(address)
    except ValueError as error:
        raise ConfigError(str(error)) from None
