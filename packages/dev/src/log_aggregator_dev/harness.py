"""The whole service in this process, from HTTP to the sinks, around the plugins under test."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp import web

from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.config.settings import load_settings
from log_aggregator.hookspecs import hookimpl
from log_aggregator.http.app import build_app
from log_aggregator.model.aggregate import Aggregate, Flush, merge_all
from log_aggregator.plugins.registry import Registry
from log_aggregator.service.service import Service

COLLECTOR = "collector"
"""The name of the sink that the harness adds behind all others: it keeps what they are given."""


class Answer(NamedTuple):
    """What the service answered; `body` is decoded JSON, or text where it is none."""

    status: int
    body: Any


class Harness:
    """A running service. `url` is its address, `service` its inside, `flushes` what the sinks were given."""

    def __init__(self, url: str, service: Service, session: aiohttp.ClientSession, flushes: list[Flush]) -> None:
        self.url = url
        self.service = service
        self.flushes = flushes
        self._session = session

    async def request(self, method: str, path: str, **more: Any) -> Answer:
        """One HTTP request; `more` as in `aiohttp.ClientSession.request`, such as `json` and `headers`."""
        async with self._session.request(method, self.url + path, **more) as response:
            raw = await response.read()
            try:
                return Answer(response.status, msgspec.json.decode(raw) if raw else None)
            except msgspec.DecodeError:
                return Answer(response.status, raw.decode("utf-8", "replace"))

    async def get(self, path: str) -> Any:
        """GET a path; the body, whatever the status."""
        return (await self.request("GET", path)).body

    async def post(self, *logs: str | Mapping[str, Any], source: str = "test", level: str = "INFO") -> Answer:
        """POST logs as one batch: plain messages, or objects with the fields of the HTTP interface."""
        entries = [
            {"message": log, "source": source, "level": level} if isinstance(log, str) else dict(log) for log in logs
        ]
        return await self.request("POST", "/ingest/batch", json={"logs": entries})

    async def flush(self) -> Any:
        """Seal what has gathered and wait for the sinks; the body of `POST /flush`."""
        return (await self.request("POST", "/flush")).body

    async def aggregates(self) -> list[Aggregate]:
        """Flush, and return everything that was aggregated so far, merged."""
        await self.flush()
        rows = (aggregate for flush in self.flushes for aggregate in flush.aggregates)
        return list(merge_all(rows, self.service.settings.max_samples).values())

    async def counts(self) -> dict[str, int]:
        """Flush, and return how many logs each pattern stands for so far."""
        counts: dict[str, int] = {}
        for aggregate in await self.aggregates():
            counts[aggregate.pattern] = counts.get(aggregate.pattern, 0) + aggregate.count
        return counts

    def plugin(self, name: str) -> Any:
        """The object of a plugin that runs. Raises `KeyError` when none of this name does."""
        return {plugin.name: plugin.instance for plugin in self.service.runtime.registry.plugins}[name]


@contextlib.asynccontextmanager
async def harness(
    plugins: str = "",
    *,
    given: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    data_dir: Path | None = None,
) -> AsyncIterator[Harness]:
    """Run the service with the pipeline `plugins` (the text of a `plugins.toml`) on a free port.

    `given` holds plugins that are not installed: name → class, or an object that is made already. Those
    that the text does not name stand behind it. `environ` is the whole environment of the service.
    Leaving drains. With the same `data_dir` a second harness continues what a first one left.

    Raises `ConfigError` as the service does when it cannot start.
    """
    collector = _Collector()
    everything = {**(given or {}), COLLECTOR: collector}
    text = plugins + "".join(f"\n[plugins.{name}]\n" for name in everything if not _names(plugins, name))
    with contextlib.ExitStack() as stack:
        if data_dir is None:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-")))
        environment = {"DATA_DIR": str(data_dir), **(environ or {})}
        registry = Registry(parse_plugins(text), environment, everything)
        async with Service(load_settings(environment), registry) as service:
            runner = web.AppRunner(
                build_app(service), access_log=None, handle_signals=False, shutdown_timeout=3, auto_decompress=False
            )
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                url = f"http://127.0.0.1:{runner.addresses[0][1]}"
                async with aiohttp.ClientSession() as session:
                    yield Harness(url, service, session, collector.flushes)
            finally:
                await runner.cleanup()


def _names(plugins: str, name: str) -> bool:
    return any(entry.name == name for entry in parse_plugins(plugins))


class _Collector:
    """A sink that keeps every flush in memory, once."""

    def __init__(self) -> None:
        self.flushes: list[Flush] = []

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        """Keep the flush, unless it is here already."""
        if all(known.position != flush.position for known in self.flushes):
            self.flushes.append(flush)
