"""Registers the calls of `routes`, which is imported with the first: commands without a service need no HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from log_aggregator_templates.applying import Applies

if TYPE_CHECKING:
    from aiohttp import web

    from log_aggregator import Service
    from log_aggregator_templates.correction_file import CorrectionFile
    from log_aggregator_templates.routes import CorrectionRoutes


class Calls:
    """The calls with which people correct patterns."""

    def __init__(self, service: Service, file: CorrectionFile, plugin: Applies) -> None:
        self._given = (service, file, plugin)
        self._made: CorrectionRoutes | None = None
        service.add_route("POST", "/patterns/{id}/keep", self._keep, "write")
        service.add_route("POST", "/patterns/{id}/split", self._split, "write")
        service.add_route("POST", "/patterns/{id}/merge", self._merge, "write")
        service.add_route("GET", "/patterns/{id}/evidence", self._evidence, "read")
        service.add_route("GET", "/corrections", self._all, "read")
        service.add_route("DELETE", "/corrections/{id}", self._undo, "write")

    @property
    def _routes(self) -> CorrectionRoutes:
        if self._made is None:
            from log_aggregator_templates.routes import CorrectionRoutes  # noqa: PLC0415  see above

            self._made = CorrectionRoutes(*self._given)
        return self._made

    async def _keep(self, request: web.Request) -> web.StreamResponse:
        return await self._routes.keep(request)

    async def _split(self, request: web.Request) -> web.StreamResponse:
        return await self._routes.split(request)

    async def _merge(self, request: web.Request) -> web.StreamResponse:
        return await self._routes.merge(request)

    async def _evidence(self, request: web.Request) -> web.StreamResponse:
        return await self._routes.evidence(request)

    async def _all(self, request: web.Request) -> web.StreamResponse:
        return await self._routes.all(request)

    async def _undo(self, request: web.Request) -> web.StreamResponse:
        return await self._routes.undo(request)
