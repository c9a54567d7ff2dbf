"""Plugins as they were written for plugin API 1. Never changed: what they do must go on working."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import pluggy
from pydantic import BaseModel, ConfigDict, Field

from log_aggregator import Batch, ConfigError, Group, Record, Reject, RetryableError, hookimpl, pattern_id
from log_aggregator.receivers import BadLogError, SentFields, ingest_when_possible, record_of_text
from log_aggregator.sinks import Aggregate, Flush, Position
from log_aggregator.store import AnomalyQuery, PatternQuery, SeriesQuery, StoreHealth


class Guard:
    api = ">=1,<2"
    on_error = "refuse"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        secret: str = Field("hunter2", description="what is masked")

    def __init__(self, config):
        self.secret = config.secret

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            if record.message == "poison":
                raise Reject("poison")
            if record.message == "noise":
                batch.drop(record, "noise")
            elif record.message == "bad":
                batch.reject(record, "bad")
            else:
                record.message = record.message.replace(self.secret, "***")


class Labels:
    api = ">=1,<2"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        self.config = config

    @hookimpl
    def normalize(self, batch: Batch) -> None:
        for group in batch.groups():
            if group.shape.startswith("order 000"):
                group.pattern = "order {N}"
                group.pattern_is_final = True

    @hookimpl
    def enrich(self, batch: Batch) -> None:
        for group in batch.groups():
            orders = [message for message in group.messages if message.startswith("order")]
            keys = ["big" if int(message[6:9]) > 500 else "small" for message in orders]
            if len(keys) == len(group.messages):
                for key, part in group.split(keys):
                    part: Group
                    part.tags = (*part.tags, key)
                    part.category = "orders"
        for record in batch:
            record.metadata = {**record.metadata, "seen": True}


class Pack:
    api = ">=1,<2"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        self.config = config

    @hookimpl
    def pattern_rules(self):
        return [{"name": "till", "regex": r"\btill-[a-z]{3}\b", "placeholder": "{TILL}", "gate": ["till-"]}]

    def tests(self):
        return [{"message": "paid at till-abc", "pattern": "paid at {TILL}"}]


class Counts:
    api = ">=1,<2"
    instances = "node"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        path: Path

    def __init__(self, config):
        self.path = config.path

    @hookimpl
    async def on_flush(self, flush: Flush) -> None:
        try:
            state = json.loads(self.path.read_text()) if self.path.exists() else {"counts": {}, "progress": {}}
        except OSError as error:
            raise RetryableError("the disk is away") from error
        known = state["progress"].get(flush.instance)
        if flush.is_stored(Position(*known) if known else None):
            return
        for row in flush.aggregates:
            row: Aggregate
            assert row.pattern_id == pattern_id(row.pattern)
            state["counts"][row.pattern] = state["counts"].get(row.pattern, 0) + row.count
        state["progress"][flush.instance] = flush.position
        self.path.write_text(json.dumps(state))


class Reader:
    api = ">=1,<2"
    instances = "node"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")
        path: Path
        tcp: str = "127.0.0.1:0"

    def __init__(self, config):
        if not config.path.is_absolute():
            raise ConfigError("path: expected an absolute path")
        self.config = config

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        async def read():
            start = int(service.position("file") or b"0")
            while True:
                text = self.config.path.read_bytes()[start:] if self.config.path.exists() else b""
                whole = text[: text.rfind(b"\n") + 1]
                records = []
                for line in whole.split(b"\n"):
                    try:
                        records.append(record_of_text(line.decode(), defaults=SentFields(source="file")))
                    except BadLogError:
                        continue
                start += len(whole)
                if records:
                    await ingest_when_possible(service, records, position=("file", str(start).encode()))
                await asyncio.sleep(0.01)

        async def connection(opened):
            while frames := await opened.read_frames():
                receipt = await service.ingest([Record.of(frame.data, source="tcp") for frame in frames])
                await opened.write(b"%d\n" % receipt.accepted)

        self.listener = service.listen_tcp(self.config.tcp, connection)
        service.run("read", read)
        service.add_stats("reader", lambda: {"port": self.listener.port})
        service.add_health_check("reader", self.check)
        service.add_route("GET", "/reader", self.answer, "open")
        yield

    async def check(self):
        return None

    async def answer(self, request):
        from aiohttp import web

        return web.json_response({"path": self.config.path.name})


class Memory:
    api = ">=1,<2"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        from log_aggregator.storekit import MemoryAnswers

        self.answers = MemoryAnswers(5)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, service):
        service.register_store(self)
        yield

    @hookimpl
    async def on_flush(self, flush):
        self.answers.add(flush)

    async def patterns(self, query: PatternQuery):
        return self.answers.patterns(query)

    async def pattern(self, pattern_id, *, sources=()):
        return self.answers.pattern(pattern_id, sources=sources)

    async def series(self, query: SeriesQuery):
        return self.answers.series(query)

    async def anomalies(self, query: AnomalyQuery):
        return self.answers.anomalies(query)

    async def health(self):
        return StoreHealth(reachable=True)


class GreeterHooks:
    @pluggy.HookspecMarker("log_aggregator")
    def greetings(self):
        "Other plugins say hello."


class Greeter:
    api = ">=1,<2"
    hookspecs = GreeterHooks

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        self.known = []

    def assemble(self, hooks):
        self.known = [words for _, given in hooks.call("greetings") for words in given]


class Polite:
    api = ">=1,<2"

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    def __init__(self, config):
        pass

    @hookimpl(optionalhook=True)
    def greetings(self):
        return ["hello"]
