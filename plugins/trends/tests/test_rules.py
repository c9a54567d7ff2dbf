"""Rules by hand: counted over flushes and restarts, told once, and looked at on the past."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from log_aggregator.config.rules import Rule
from log_aggregator.model.summary import summarize
from log_aggregator.search import parse_search
from log_aggregator.sinks import Alias, Flush
from log_aggregator_trends import TrendsConfig
from log_aggregator_trends.matching import matching_logs
from log_aggregator_trends.past import alarms_of
from log_aggregator_trends.rules import RuleWatch
from plugins.trends.tests.factories import MINUTE, START, FakeService, Feed, aggregate, running_monitor
from plugins.trends.tests.webhook_server import run_webhook_server

LOGS = aggregate(
    "Payment {ID} refused",
    10,
    START,
    level="ERROR",
    source="payment-eu",
    metadata=[{"region": "eu"}] * 3 + [{"region": "us"}] * 7,
)


def rule(search: str, **fields: Any) -> Rule:
    return Rule.model_validate({"search": search, **fields})


async def add(watch: RuleWatch, flush: Flush, is_quiet: Callable[[Any], bool] = lambda _: False) -> list[Any]:
    return watch.add(flush, await watch.matches(flush, is_quiet))


@pytest.mark.parametrize(
    ("search", "logs"),
    [
        ("", 10),
        ("level:err", 10),
        ("level:warn", 0),
        ("-level:warn source:payment-*", 10),
        ("source:payment", 0),
        ("PAYMENT refused", 10),
        ('"as it was written"', 10),
        ("paid", 0),
        ("meta.region:eu", 3),
        ("-meta.region:eu", 7),
        ("meta.region:eu,us", 10),
        ("meta.zone:eu", 0),
        ("var.ID:7", 2),
        (f"id:{LOGS.pattern_id}", 10),
        ("id:0123456789abcdef", 10),
        ("id:fedcba9876543210", 0),
        ("category:billing", 0),
    ],
)
def test_which_logs_a_search_finds(search: str, logs: int) -> None:
    one = type(LOGS)(**{name: getattr(LOGS, name) for name in LOGS.__struct_fields__} | {
        "variables": summarize([{"ID": "7"}] * 2 + [{"ID": "8"}] * 8)
    })  # fmt: skip
    assert matching_logs(parse_search(search), one, {"0123456789abcdef": LOGS.pattern_id}) == logs


async def test_more_than_within_a_time() -> None:
    watch, feed = RuleWatch([rule("refused", more_than=25, within="3m")], START), Feed()
    told = [len(await add(watch, feed.flush(START + n, LOGS))) for n in (0, 1, 2, 6, 7)]
    assert told == [0, 0, 1, 0, 0]


async def test_counts_go_on_after_a_restart_and_an_earlier_id_is_known() -> None:
    one = rule(f"id:{LOGS.pattern_id}", more_than=15)
    watch, feed = RuleWatch([one], START), Feed()
    assert await add(watch, feed.flush(START, LOGS)) == []
    flush = feed.flush(START + 1)
    alias = Alias(LOGS.pattern_id, "Payment {ID} {WORD}", 1)
    await add(watch, type(flush)(*[getattr(flush, name) for name in flush.__struct_fields__[:7]], (alias,)))
    again = RuleWatch([one], START + 2, watch.state)
    later = aggregate("Payment {ID} {WORD}", 6, START + 2, level="ERROR")
    ((finding, series),) = await add(again, feed.flush(START + 2, later))
    assert (finding.figures["seen"], finding.kind, finding.notify) == (16, "rule", True)
    assert series.level == "ERROR"


async def test_what_never_alerts_alarms_nobody_and_is_no_silence() -> None:
    watch = RuleWatch([rule("", more_than=0), rule("payment", none_for="2m")], START)
    feed = Feed()
    for minute in range(START, START + 4):
        assert await add(watch, feed.flush(minute, LOGS), lambda _: True) == []
        assert watch.end_minute(minute) == []


async def test_many_rules_let_others_run_and_one_may_be_deleted_meanwhile() -> None:
    rules = [rule(f"word{number}", more_than=0) for number in range(50)]
    watch = RuleWatch(rules, START)
    flush = Feed().flush(START, *[aggregate(f"pattern {n} word0 word1", 1, START) for n in range(500)])
    matching = asyncio.ensure_future(watch.matches(flush, lambda _: False))
    await asyncio.sleep(0)
    assert not matching.done()
    watch.replace(rules[1:], START)
    ((finding, _),) = watch.add(flush, await matching)
    assert (finding.figures["search"], finding.figures["seen"]) == ("word1", 500)


async def test_none_for_a_time_and_time_that_is_not_known() -> None:
    watch, feed = RuleWatch([rule("payment", none_for="3m")], START), Feed()
    await add(watch, feed.flush(START, LOGS))
    assert [len(watch.end_minute(START + n)) for n in range(5)] == [0, 0, 0, 1, 1]
    watch.skip_to(START + 100)
    assert [len(watch.end_minute(START + 100 + n)) for n in range(4)] == [0, 0, 0, 1]


async def test_an_alarm_is_told_with_the_name_of_its_rule(tmp_path: Path) -> None:
    service, feed = FakeService(tmp_path), Feed()
    logs = aggregate("Payment {ID} slow", 10, START, level="WARN", source="payment-eu")
    rules = [rule("level:warn payment", name="payments fail", more_than=25), rule("source:cron", none_for="2m")]
    async with run_webhook_server() as server:
        config = TrendsConfig.model_validate({"targets": [{"url": server.url}]})
        async with running_monitor(tmp_path / "t", service, config, START) as monitor:
            monitor.rules.replace(rules, START)
            for minute in range(START, START + 3):
                await monitor.add_flush(feed.flush(minute, logs))
                await monitor.end_minute()
            bodies = await server.wait_for(2)
    assert {body["title"] for body in bodies} == {"Rule: payments fail", "Rule: source:cron"}
    texts = "\n".join(body["text"] for body in bodies)
    assert "• payments fail: 30 logs in 5 min, more than 25" in texts
    assert "• source:cron: no log for 2 min" in texts
    anomaly = next(one for one in service.emitted if one.source == "payment-eu" and one.kind == "rule")
    assert (anomaly.tier, anomaly.details["series"][0]["search"]) == ("notify", "level:warn payment")


def test_a_rule_on_the_past() -> None:
    points = [(minute * 60, 10) for minute in (0, 1, 2, 3, 60, 61, 200)]
    many = rule("", more_than=15, within="2m")
    assert alarms_of(many, points, 300 * 60, resolve_minutes=15) == [60, 61 * 60]
    silent = rule("", none_for="50m")
    assert alarms_of(silent, points, 300 * 60, resolve_minutes=15) == [53 * 60, 111 * 60, 250 * 60]
    assert alarms_of(rule("", more_than=0), [], 300 * 60, 15) == []
    assert MINUTE == 60_000_000


@pytest.mark.serial
def test_a_long_time_costs_no_more_on_the_past_than_a_short_one() -> None:
    points = [(minute * 60, 3) for minute in range(4000)]
    seconds = {}
    for within in ("1m", "24h"):
        started = time.perf_counter()
        assert alarms_of(rule("", more_than=2, within=within), points, 4000 * 60, resolve_minutes=15) == [0]
        seconds[within] = time.perf_counter() - started
    assert seconds["24h"] < 50 * seconds["1m"]
