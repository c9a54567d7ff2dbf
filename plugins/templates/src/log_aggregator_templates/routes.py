"""The calls with which people correct patterns: keep, split, merge, what was said so far, and taking it back."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, get_args

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from log_aggregator import Service
from log_aggregator.http.access.auth import caller
from log_aggregator.http.json_body import json_body
from log_aggregator.http.problem import Problem
from log_aggregator.http.store_access import answered
from log_aggregator.model.record import pattern_id
from log_aggregator.model.variables import variable_names
from log_aggregator.store import PatternQuery
from log_aggregator_templates.applying import Applies
from log_aggregator_templates.correction_file import CorrectionFile
from log_aggregator_templates.corrections import ByHand, Correction, is_learned

_PAGE = 200
_MOST_PAGES = 50


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sources: list[str] = Field([], max_length=100)
    variables: list[str] = Field([], max_length=16)
    into: str = Field("", max_length=4096, description="merge: the id or the text of the pattern it belongs to")
    by: str = Field("", max_length=200, description="who; with API keys, the key's name stands there instead")


class CorrectionRoutes:
    """`POST /patterns/{id}/keep`, `/split` and `/merge`, `GET /patterns/{id}/evidence`, and `/corrections`."""

    def __init__(self, service: Service, file: CorrectionFile, plugin: Applies) -> None:
        self._service = service
        self._file = file
        self._plugin = plugin
        self.keep, self.split, self.merge = map(self._correcting, get_args(ByHand))

    def _correcting(self, kind: ByHand) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def correct(request: web.Request) -> web.StreamResponse:
            body = await json_body(request, _Body)
            pattern = await self._pattern(request.match_info["id"])
            into = await self._into(body.into, kind, pattern)
            if kind == "split" and not any(map(is_learned, variable_names(pattern))):
                raise Problem(422, "nothing was learned in this pattern: what the rules mask cannot be split")
            try:
                one = Correction(
                    id=secrets.token_hex(8), kind=kind, pattern=pattern, into=into, sources=tuple(body.sources),
                    variables=tuple(body.variables), at=time.time_ns() // 1000, by=caller(request) or body.by,
                )  # fmt: skip
            except ValidationError as error:
                raise Problem(422, error.errors()[0]["msg"].removeprefix("Value error, ")) from None
            await self._change(lambda known: [*known, one])
            self._plugin.said(one)
            return _json(_shown(one), 201)

        return correct

    async def evidence(self, request: web.Request) -> web.StreamResponse:
        """`GET /patterns/{id}/evidence`."""
        return _json(self._plugin.evidence(await self._pattern(request.match_info["id"])))

    async def all(self, request: web.Request) -> web.StreamResponse:
        """`GET /corrections`."""
        said = await asyncio.to_thread(self._file.all)
        return _json({"corrections": [_shown(one) for one in reversed(said)]})

    async def undo(self, request: web.Request) -> web.StreamResponse:
        """`DELETE /corrections/{id}`."""
        wanted, by = request.match_info["id"], caller(request)
        undone: list[Correction] = []

        def undo(known: list[Correction]) -> list[Correction]:
            now = []
            for one in known:
                if one.id == wanted and one.undone_at is None:
                    one = one.model_copy(update={"undone_at": time.time_ns() // 1000, "undone_by": by})  # noqa: PLW2901
                    undone.append(one)
                now.append(one)
            return now

        await self._change(undo)
        if not undone:
            raise Problem(404, "no such correction: an id is 16 hex digits, as in GET /corrections")
        self._plugin.taken_back(undone[0], await self._stored(undone[0]))
        return web.Response(status=204)

    async def _stored(self, one: Correction) -> list[str]:
        """The stored patterns that a correction speaks of."""
        store, cursor, found = self._service.store, None, list[str]()
        if store is None:
            return found
        for _ in range(_MOST_PAGES):
            page = await answered(store.patterns(PatternQuery(limit=_PAGE, cursor=cursor)))
            found += [row.pattern for row in page.patterns if one.pattern_of(row.pattern) is not None]
            cursor = page.cursor
            if cursor is None:
                break
        return found

    async def _change(self, change: Callable[[list[Correction]], Sequence[Correction]]) -> None:
        try:
            self._plugin.apply(await asyncio.to_thread(self._file.change, change))
        except ValueError as error:
            raise Problem(422, str(error)) from None
        except OSError as error:
            raise Problem(503, f"corrections cannot be written: {error.strerror}") from None

    async def _into(self, into: str, kind: ByHand, pattern: str) -> str:
        if kind != "merge":
            if into:
                raise Problem(422, "into: only to merge")
            return ""
        if not into:
            raise Problem(422, "into: expected the id of the pattern that this one belongs to")
        text = await self._pattern(into) if len(into) == len(pattern_id("")) and into.isalnum() else into
        if text == pattern:
            raise Problem(422, "into: expected another pattern")
        return text

    async def _pattern(self, wanted: str) -> str:
        """The text of a pattern by its id. Raises `Problem` 404."""
        store = self._service.store
        if store is not None:
            found = await answered(store.pattern(wanted))
            if found is not None:
                return found.pattern
        text = self._plugin.text_of(wanted)
        if text is None:
            raise Problem(404, "no such pattern: an id is 16 hex digits, as in GET /patterns")
        return text


def _shown(one: Correction) -> dict[str, Any]:
    return {"pattern_id": pattern_id(one.pattern), **one.model_dump()}


def _json(document: dict[str, Any], status: int = 200) -> web.Response:
    body = msgspec.json.encode(document)
    return web.Response(
        body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
