"""`POST /aggregates`: what is taken, what guards see of it, and what is refused."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, ConfigDict

from log_aggregator import Batch, hookimpl, pattern_id
from log_aggregator.http.access.keys import add_key
from log_aggregator.model.samples import Samples
from log_aggregator.model.summary import summarize, to_json
from log_aggregator.model.values import Values
from log_aggregator.sinks import Aggregate, Alias
from log_aggregator_dev.harness import Harness, harness
from log_aggregator_upstream.delivery import CONTENT_TYPE
from plugins.upstream.tests.deliveries import EDGE, NOON, US, deliver, document, group

EDGES = "[plugins.edges]\naccept = true\n"
SECRET = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"


@pytest.fixture
async def hub() -> AsyncIterator[Harness]:
    async with harness(f"[plugins.redact]\n\n{EDGES}") as service:
        yield service


async def only(service: Harness) -> Aggregate:
    """The one aggregate that the service has."""
    (found,) = await service.aggregates()
    return found


async def test_it_is_off_until_it_is_accepted() -> None:
    for pipeline in ("", "[plugins.edges]", "[plugins.edges]\naccept = false"):
        async with harness(pipeline) as service:
            assert (await deliver(service, group())).status == 404


async def test_an_aggregate_is_kept_as_it_is(hub: Harness) -> None:
    sent = group(
        metadata={"took": "5ms"}, variables={"ID": "7"}, categories={"auth": 2}, tags={"a": 1}, group='{"host":"x"}'
    )
    answer = await deliver(hub, sent)
    assert (answer.status, answer.body["accepted"], answer.body["duplicate"]) == (202, 2, False)
    assert _drawn_alike(await only(hub)) == _drawn_alike(sent)


def _drawn_alike(aggregate: Aggregate) -> Aggregate:
    """Without the draws, which are made anew where all values are known."""
    of = {
        name: {key: entry.of(entry.count, Values(entry.values.kept), entry.numbers) for key, entry in summary.items()}
        for name, summary in (("metadata", aggregate.metadata), ("variables", aggregate.variables))
    }
    return msgspec.structs.replace(aggregate, **of)


async def test_gzip_and_plain_bodies_are_taken(hub: Harness) -> None:
    body = msgspec.msgpack.encode(document(group()))
    headers = {"Content-Type": CONTENT_TYPE}
    assert (await hub.request("POST", "/aggregates", data=io.BytesIO(body), headers=headers)).status == 202
    again = msgspec.msgpack.encode(document(group(), place=(5, 2), previous=(5, 1)))
    headers["Content-Encoding"] = "gzip"
    answer = await hub.request("POST", "/aggregates", data=io.BytesIO(gzip.compress(again)), headers=headers)
    assert answer.status == 202
    assert (await only(hub)).count == 4


async def test_equal_groups_merge_with_the_service_s_own(hub: Harness) -> None:
    await deliver(hub, group("hello", "hello", source="test", minutes=(0, 2)), group("hello", "hello", source="test"))
    await hub.post({"message": "hello", "source": "test", "level": "INFO", "timestamp": NOON + 61})
    found = await only(hub)
    assert (found.count, found.minutes, found.first_seen) == (5, (2, 3), NOON * US)
    assert (found.last_seen, found.samples.messages) == ((NOON + 61) * US, ("hello",))


async def test_a_delivery_that_comes_again_is_a_duplicate_and_one_that_does_not_continue_is_refused(
    hub: Harness,
) -> None:
    places = [((5, 1), (0, 0)), ((5, 1), (0, 0)), ((5, 2), (5, 1)), ((5, 1), (0, 0)), ((8, 3), (5, 2))]
    answers = [await deliver(hub, group(), place=place, previous=before) for place, before in places]
    assert [answer.body["duplicate"] for answer in answers] == [False, True, False, True, False]
    refused = await deliver(hub, group(), place=(8, 5), previous=(8, 4))
    assert refused.status == 409
    assert "8-3 was taken last" in refused.body["detail"]
    assert (await deliver(hub, group(), edge="f" * 16)).body["duplicate"] is False, "a chain of another edge"
    assert (await only(hub)).count == 8


async def test_the_chain_outlives_a_restart(tmp_path: Path) -> None:
    for duplicate in (False, True):
        async with harness(EDGES, data_dir=tmp_path) as service:
            assert (await deliver(service, group())).body["duplicate"] is duplicate


async def test_guards_see_every_text(hub: Harness) -> None:
    values = {"password": "hunter22", "note": f"token {SECRET}", "n": 5, "db.password": "hunter22"}
    sent = group(
        f"key {SECRET} for {{ID}}",
        f"key {SECRET} for 7",
        source=f"shop {SECRET}",
        metadata=values,
        variables={"ID": SECRET},
        categories={SECRET: 2},
        tags={f"tag {SECRET}": 1},
        group=f'{{"password":"hunter22","host":"{SECRET}"}}',
    )
    alias = Alias(pattern_id("old"), f"about {SECRET}", NOON * US)
    assert (await deliver(hub, sent, aliases=[alias])).status == 202
    found = await only(hub)
    (kept,) = [alias for flush in hub.flushes for alias in flush.aliases]
    everything = repr([found, kept, to_json(found.metadata), to_json(found.variables)])
    assert SECRET not in everything
    assert "hunter22" not in everything
    assert (found.count, found.metadata["n"].count, found.metadata["password"].count) == (2, 1, 1)
    assert found.metadata["n"].values.kept == {"5": 1}, "what holds no secret is not touched"


async def test_many_secret_values_of_a_key_become_one_and_its_numbers_go(hub: Harness) -> None:
    metadata = summarize([{"pin": 1000 + n, "n": n} for n in range(40)])
    assert "numbers" in to_json(metadata)["pin"]
    await deliver(hub, msgspec.structs.replace(group(count=40, minutes=()), metadata=metadata))
    shown = to_json((await only(hub)).metadata)
    assert "numbers" not in shown["pin"]
    assert "numbers" in shown["n"]
    assert [entry["count"] for entry in shown["pin"]["values"]] == [40]


class Picky:
    """Drops what speaks of health, rejects what speaks of spam, and cannot look at a bomb."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    on_error = "refuse"

    def __init__(self, config: Any) -> None:
        pass

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        for record in batch:
            if "bomb" in record.message:
                raise ValueError
            if "health" in record.message:
                batch.drop(record, "health")
            elif "spam" in record.message:
                batch.reject(record, "spam")
            elif record.metadata.get("user") == "bob":
                batch.drop(record, "bob")


async def test_what_guards_drop_reject_and_cannot_look_at_is_left_out() -> None:

    async with harness(EDGES, given={"picky": Picky}) as service:
        answer = await deliver(
            service,
            group("GET /health", "GET /health"),
            group("spam {ID}", "spam 1"),
            group("a bomb", "a bomb"),
            group("fine", "fine", samples=Samples(("fine", "fine spam"), 1)),
            group("user", "user", metadata={"user": "bob", "n": 1}),
        )
        assert (answer.status, answer.body["accepted"]) == (202, 4)
        assert answer.body["rejected"] == [
            {"index": 1, "reason": "spam"},
            {"index": 2, "reason": "picky cannot check this record"},
        ]
        found = {row.pattern: row for row in await service.aggregates()}
    assert {pattern: row.count for pattern, row in found.items()} == {"fine": 2, "user": 2}
    assert found["fine"].samples.messages == ("fine",)
    assert set(found["user"].metadata) == {"n"}


async def test_formats_does_not_look_at_aggregates_again() -> None:
    message = '{"level": "error", "msg": "lost"}'
    async with harness(f"[plugins.formats]\n\n{EDGES}") as service:
        await deliver(service, group(message, message))
        assert ((await only(service)).pattern, (await only(service)).level) == (message, "INFO")


async def test_a_key_sends_its_own_sources(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    one, two = (
        add_key(keys, name, scopes=("ingest",), sources=sources)
        for name, sources in (("one", ("shop",)), ("two", ("bank", "shop")))
    )
    reading = add_key(keys, "reading", scopes=("read",))
    async with harness(EDGES, environ={"API_KEYS_FILE": str(keys)}) as service:
        rows = [group(source="shop"), group(source="bank"), group(source="mail")]
        answers = [
            await deliver(service, *rows, headers={"Authorization": f"Bearer {key}"}, edge=edge * 16)
            for key, edge in ((one, "1"), (two, "2"), (reading, "3"))
        ]
        assert [answer.status for answer in answers] == [202, 202, 403]
        assert [answer.body["accepted"] for answer in answers[:2]] == [2, 4]
        assert [entry["index"] for entry in answers[0].body["rejected"]] == [1, 2]
        assert "'mail': not allowed" in answers[1].body["rejected"][0]["reason"]
        refused = await deliver(
            service, group(source="mail"), headers={"Authorization": f"Bearer {one}"}, place=(5, 2), previous=(5, 1)
        )
        assert refused.status == 403
        assert (await deliver(service, *rows)).status == 401
        await service.service.flush(5)
        counts = {row.source: row.count for flush in service.flushes for row in flush.aggregates}
    assert counts == {"shop": 4, "bank": 2}


async def test_rates_and_quotas_count_logs_not_groups(tmp_path: Path) -> None:
    async with harness(EDGES, environ={"RATE_LIMIT_SOURCE": "10"}) as service:
        assert (await deliver(service, group(count=1000, minutes=()))).status == 202
        answer = await deliver(service, group(), place=(5, 2), previous=(5, 1))
        assert (answer.status, answer.body["retry_after"] > 50) == (429, True)


@pytest.mark.parametrize(("edge", "own", "minutes"), [(60, 300, (0, 2)), (30, 300, (0, 2)), (300, 300, (2,))])
async def test_smaller_buckets_go_into_those_of_the_hub(edge: int, own: int, minutes: tuple[int, ...]) -> None:
    begin = NOON + (60 if edge < own else 0)
    sent = group(bucket=begin, first_seen=begin * US, last_seen=begin * US + 5, minutes=(2,) if edge == 300 else ())
    async with harness(EDGES, environ={"AGGREGATION_BUCKET": str(own)}) as service:
        assert (await deliver(service, sent, bucket=edge)).status == 202
        found = await only(service)
    assert (found.bucket, found.count, found.minutes, found.first_seen) == (NOON, 2, minutes, begin * US)


async def test_buckets_that_do_not_fit_are_refused(hub: Harness) -> None:
    answer = await deliver(hub, group(), bucket=7)
    assert (answer.status, "expected AGGREGATION_BUCKET=300" in answer.body["detail"]) == (422, True)


async def test_times_that_cannot_be_believed_become_the_time_of_receipt(hub: Harness) -> None:
    far = NOON + 300 * 10**7
    await deliver(hub, group(bucket=far, first_seen=far * US, last_seen=far * US + 5))
    found = await only(hub)
    assert (found.count, found.first_seen // US // 300 * 300) == (2, found.bucket)
    assert found.first_seen < far * US


async def test_services_that_send_in_a_circle_are_told(hub: Harness) -> None:
    own = (hub.service.settings.data_dir / "upstream.id").read_text().strip()
    answer = await deliver(hub, group(), via=[EDGE, own])
    assert (answer.status, "in a circle" in answer.body["detail"]) == (422, True)
    assert await hub.aggregates() == []
