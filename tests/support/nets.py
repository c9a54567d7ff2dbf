"""The network between nats-servers, and between them and members: a link for each way, cut and made good again."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self

from tests.support.link import Link


class Network:
    """Links from each of `ends` (members, then nodes) to each node. They run in a thread of their own.

    Leaving the block closes them.
    """

    def __init__(self, members: int, nodes: int) -> None:
        self.members = members
        self.nodes = nodes
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._ends: list[list[Link]] = []
        self._stack = contextlib.AsyncExitStack()

    def start(self, clients: list[int], routes: list[int]) -> None:
        """Open the links to the ports of the nodes: of their clients, and of their routes."""
        self._thread.start()
        self._ends = [[Link(("127.0.0.1", port)) for port in clients] for _ in range(self.members)]
        self._ends += [[Link(("127.0.0.1", port)) for port in routes] for _ in range(self.nodes)]

        async def open_all() -> None:
            for links in self._ends:
                for link in links:
                    await self._stack.enter_async_context(link)

        self._run(open_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._run(self._stack.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def servers_of(self, member: int) -> list[str]:
        """Where a member finds the nodes."""
        return [f"nats://127.0.0.1:{link.port}" for link in self._ends[member]]

    def routes_of(self, node: int) -> list[str]:
        """Where a node finds the nodes."""
        return [f"nats-route://127.0.0.1:{link.port}" for link in self._ends[self.members + node]]

    def isolate_node(self, node: int) -> Callable[[], None]:
        """No byte passes between a node and the others; its clients reach it. Call what returns to end it."""
        routes = self._ends[self.members :]
        return self._silence([*routes[node], *(links[node] for links in routes)])

    def isolate_member(self, member: int) -> Callable[[], None]:
        """No byte of a member reaches a node, nor back."""
        return self._silence(self._ends[member])

    def _silence(self, links: list[Link]) -> Callable[[], None]:
        for link in links:
            link.black_hole = True

        def heal() -> None:
            async def anew() -> None:
                for link in links:  # what was swallowed would be missing in the middle
                    link.black_hole = False
                    link.cut()

            self._run(anew())

        return heal

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
