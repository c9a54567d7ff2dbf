"""The sender: its window, its chain through cut answers and restarts, and what it says when the hub refuses."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from pydantic import ValidationError

from log_aggregator import ConfigError
from log_aggregator_dev.harness import Harness, harness
from log_aggregator_upstream import UpstreamConfig, UpstreamSink
from log_aggregator_upstream.hub import Hub, Taken
from tests.support.edges import HUB, counted, edge, eventually, made_logs, send
from tests.support.link import Link

ANSWER = b"HTTP/1.1 202"


class Answers:
    """Cuts the first `left` answers at a byte; the hub has taken what they answer."""

    def __init__(self, left: int, at: int) -> None:
        self.left = left
        self._at = at

    def __call__(self, direction: str, data: bytes) -> int | None:
        if direction == "down" and self.left and data.startswith(ANSWER):
            self.left -= 1
            return self._at
        return None


def _link(hub: Harness) -> Link:
    return Link(("127.0.0.1", int(hub.url.rpartition(":")[2])))


async def figures(service: Harness, plugin: str) -> dict[str, Any]:
    """A plugin's own figures."""
    found: dict[str, Any] = (await service.get("/stats"))["plugins"][plugin]["figures"]
    return found


async def _through_cuts(directory: Path, given: dict[str, Any] | None = None, at: int = 0) -> tuple[int, int]:
    """Send 90 logs in three windows, each with two answers cut: what the hub counts, and repetitions it knew."""
    async with harness(HUB, data_dir=directory / "hub") as hub, _link(hub) as link:
        pipeline = edge(f"http://127.0.0.1:{link.port}", window=0)
        async with harness(pipeline, data_dir=directory / "edge", given=given) as service:
            for seed in range(3):
                link.watch = answers = Answers(2, at)
                await send(service, made_logs(30, seed))
                await service.flush()
                await eventually(lambda: _taken(service), 30 * (seed + 1))
                assert answers.left == 0, "no answer was cut: this proves nothing"
        return await counted(hub), (await figures(hub, "edges"))["duplicates"]


async def _taken(service: Harness) -> int:
    """Logs of which the edge knows that the hub has them."""
    await service.flush()
    taken: int = (await figures(service, "upstream"))["logs"]
    return taken


async def _waiting(service: Harness) -> int:
    await service.flush()
    waiting: int = (await figures(service, "upstream"))["waiting_logs"]
    return waiting


@pytest.mark.parametrize("at", [0, 30])
async def test_a_delivery_whose_answer_was_cut_is_counted_once(tmp_path: Path, at: int) -> None:
    assert await _through_cuts(tmp_path, at=at) == (90, 6)


class NewEveryTime(Hub):
    """The mutant: a repetition has an identity of its own."""

    async def send(self, body: bytes) -> Taken:
        document = msgspec.msgpack.decode(zstandard.decompress(body))
        document |= {"edge": secrets.token_hex(8)}
        return await super().send(zstandard.compress(msgspec.msgpack.encode(document)))


async def test_the_test_of_cut_answers_catches_a_new_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("log_aggregator_upstream.sink.Hub", NewEveryTime)
    counted_there, duplicates = await _through_cuts(tmp_path)
    assert (counted_there > 90, duplicates) == (True, 0)


async def test_flushes_gather_for_a_window_and_are_sent_as_one_delivery(tmp_path: Path) -> None:
    async with harness(HUB) as hub:
        async with harness(edge(hub.url, window=3600), data_dir=tmp_path) as service:
            for seed in range(20):
                await send(service, made_logs(10, seed))
                await service.flush()
            await eventually(lambda: _waiting(service), 200)
            shown = await figures(service, "upstream")
            assert shown["deliveries"] == 0
            assert shown["waiting_groups"] < 200
            assert await counted(hub) == 0
        assert await counted(hub) == 200, "what has gathered is sent when the service stops"
        assert (await figures(hub, "edges"))["deliveries"] == 1


async def test_what_waits_outlives_restarts_of_the_edge_and_the_hub(tmp_path: Path) -> None:
    for seed in range(3):
        async with harness(edge("http://127.0.0.1:9", window=0), data_dir=tmp_path / "edge") as service:
            await send(service, made_logs(20, seed))
            await service.flush()
            check = (await service.get("/health"))["checks"]["upstream"]
            assert check["ok"] or "cannot connect" in check["detail"]
    for _ in range(2):
        async with harness(HUB, data_dir=tmp_path / "hub") as hub:
            async with harness(edge(hub.url, window=0), data_dir=tmp_path / "edge") as service:
                await eventually(lambda: _waiting(service), 0)
            assert await counted(hub) == 60


async def test_a_delivery_is_split_by_size(tmp_path: Path) -> None:
    logs = [log | {"message": f"{'abcdefgh'[n % 8] * 900} {n % 40:b}x"} for n, log in enumerate(made_logs(240, 1))]
    async with harness(HUB) as hub:
        async with harness(edge(hub.url, window=3600, max_request_bytes=65_536), data_dir=tmp_path) as service:
            await send(service, logs)
            await service.flush()
            await eventually(lambda: _waiting(service), 240)
        # What was not sent while the service stopped is sent when it starts again.
        async with harness(edge(hub.url, window=0, max_request_bytes=65_536), data_dir=tmp_path) as service:
            await eventually(lambda: _waiting(service), 0)
        assert await counted(hub) == 240
        assert (await figures(hub, "edges"))["deliveries"] > 1


async def test_a_full_file_makes_flushes_wait_in_the_journal(tmp_path: Path) -> None:
    async with harness(HUB) as hub:
        pipeline = edge("http://127.0.0.1:9", window=3600, max_groups=100)
        async with harness(pipeline, data_dir=tmp_path) as service:
            for n in range(3):
                await send(service, [log | {"source": f"s{n}-{k}"} for k, log in enumerate(made_logs(80, n))])
                await service.request("POST", "/flush?deadline=2")

            async def is_full() -> bool:
                shown = (await figures(service, "upstream"))["waiting_logs"]
                detail = (await service.get("/health"))["checks"]["sink upstream"]["detail"] or ""
                return shown >= 100 and "100 groups wait" in detail

            await eventually(is_full, True)
        async with harness(edge(hub.url, window=0), data_dir=tmp_path) as service:
            await eventually(lambda: _waiting(service), 0)
            await eventually(lambda: counted(hub), 240)


@pytest.mark.parametrize(
    ("hub", "environ", "said"),
    [
        ("[plugins.sqlite]", {}, "status 404: it takes no aggregates; expected [plugins.edges] accept = true there"),
        (HUB, {"AGGREGATION_BUCKET": "7"}, "bucket: 300 s; expected AGGREGATION_BUCKET=7 there"),
        (HUB, {"MAX_BODY_BYTES": "1024"}, "status 413: the request is too large there"),
    ],
    ids=["not accepted", "buckets", "too large"],
)
async def test_health_says_why_the_hub_takes_nothing(
    tmp_path: Path, hub: str, environ: dict[str, str], said: str
) -> None:
    async with harness(hub, environ=environ) as upper, harness(edge(upper.url, window=0), data_dir=tmp_path) as service:
        logs = [log | {"message": secrets.token_hex(400)} for log in made_logs(20, 1)]

        async def told() -> bool:
            detail = (await service.get("/health"))["checks"]["upstream"]["detail"] or ""
            return said in detail and "20 logs wait; a person is needed" in detail

        await send(service, logs)
        await service.flush()
        await eventually(told, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "url: not set; expected the address of a log-aggregator"),
        ({"url": "hub:8004"}, "url: expected the address of a log-aggregator"),
        ({"url": "http://u:p@hub"}, "url: expected no user or password in it; set `key`"),
        ({"url": "http://hub?x=1"}, "url: expected the address"),
        ({"url": "http://hub", "key": "a b"}, "key: expected the text of an API key"),
        ({"url": "http://hub", "windows": 3}, "windows: unknown key; did you mean 'window'?"),
    ],
    ids=["none", "no scheme", "password", "query", "key", "unknown"],
)
async def test_a_wrong_option_is_named_in_one_line(options: dict[str, Any], said: str) -> None:
    lines = "".join(f"{name} = {msgspec.json.encode(value).decode()}\n" for name, value in options.items())
    with pytest.raises(ConfigError) as raised:
        async with harness(f"[plugins.upstream]\n{lines}"):
            pass
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected readable PEM certificates"):
        UpstreamSink(UpstreamConfig(url="https://hub", ca_file=tmp_path / "none.pem"))
    with pytest.raises(ValidationError):
        UpstreamConfig(url="https://hub", window=-1)
