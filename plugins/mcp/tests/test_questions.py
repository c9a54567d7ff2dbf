"""Eight questions of an assistant on call: each in two calls and a thousand tokens at most, and answered rightly."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from log_aggregator_service.demo import Incident, stream
from plugins.mcp.tests.conftest import Live, StartLive

PIPELINE = "[plugins.patterns]\n[plugins.classify]\n[plugins.sqlite]\n[plugins.trends]"
PAGE = Path(__file__).parents[3] / "docs/how-to/mcp.md"
MOST_TOKENS, MOST_CALLS = 1000, 2
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

Answers = list[dict[str, Any]]
Call = tuple[str, dict[str, Any]]


class Question(NamedTuple):
    """What is asked, with which calls (the second one may be made of the first one's answer), and what must be said."""

    text: str
    calls: Sequence[Call | Callable[[dict[str, Any]], Call]]
    says: Callable[[Answers], bool]


def detail_of_first(answer: dict[str, Any]) -> Call:
    """Details of the most severe pattern of an answer."""
    found = answer.get("anomalies") or answer.get("patterns") or answer["new"]
    return "pattern_detail", {"pattern_id": found[0].get("pattern_id") or found[0]["id"], "since": "-2h"}


QUESTIONS = (
    Question(
        "What is wrong, and since when?",
        (("anomalies", {"limit": 5}), detail_of_first),
        lambda a: a[0]["anomalies"][0]["kind"] == "severe" and "Circuit to payment provider open" in a[1]["pattern"],
    ),
    Question(
        "What did the deployment change?",
        (("compare", {"after": "mark:deploy-1.4", "limit": 3}),),
        lambda a: any("Circuit to payment provider open" in one["pattern"] for one in a[0]["new"]),
    ),
    Question(
        "Which source has the most errors?",
        (("error_rates", {"since": "-1h"}),),
        lambda a: '"payment"' in json.dumps(a[0]),
    ),
    Question(
        "Which errors are new in the last half hour?",
        (("new_patterns", {"since": "-30m", "level": "ERROR", "limit": 5}),),
        lambda a: any("Provider timeout after" in one["pattern"] for one in a[0]["patterns"]),
    ),
    Question(
        "Who else saw this request?",
        (("search", {"text": TRACE, "since": "-1h", "limit": 5}),),
        lambda a: {name for one in a[0]["patterns"] for name in one["sources"]} == {"payment", "web"},
    ),
    Question(
        "What is this line, and is it common?",
        (("explain_line", {"line": "Card declined for order ORD-12345678: insufficient funds"}),),
        lambda a: a[0]["last_7_days"] > 0 and a[0]["pattern"].startswith("Card declined for order"),
    ),
    Question(
        "Mute the noisiest warning until it triples.",
        (
            ("top_patterns", {"since": "-2h", "level": "WARN", "limit": 3}),
            lambda a: ("triage", {"pattern_id": a["patterns"][0]["id"], "state": "muted", "mute_times": 3}),
        ),
        lambda a: (a[1]["state"], a[1]["mute_times"]) == ("muted", 3),
    ),
    Question(
        "Is the log service itself well?",
        (("log_metrics", {}),),
        lambda a: a[0]["status"] in ("healthy", "degraded") and a[0]["accepted"] > 5000,
    ),
)


def tokens(text: str) -> int:
    """An estimate from above: words and numbers in pieces of four characters, every other character by itself."""
    return len(re.findall(r"\w{1,4}|[^\w\s]", text))


@pytest.fixture
async def shop(start_live: StartLive) -> Any:
    """An hour of a shop, a deployment ten minutes ago, and an incident since then."""
    async with start_live(PIPELINE) as live:
        now = time.time()
        await live.send(list(islice(stream(seed=1, start=now - 3600, rate=1.0), 3000)))
        deployed = datetime.fromtimestamp(now - 601, UTC).isoformat()
        await live.ask("set_mark", title="deploy 1.4", at=deployed)
        trouble = stream(seed=2, start=now - 600, rate=4.0, incident=Incident(0, 600))
        logs = list(islice(trouble, 3000))
        logs += [
            {
                "message": f"{name} cannot be reached",
                "level": "ERROR",
                "source": source,
                "metadata": {"trace_id": TRACE},
            }
            for source, name in (("web", "payment"), ("payment", "provider"))
        ]
        logs += [
            {"message": f"Retry of {TRACE} refused", "level": "ERROR", "source": source}
            for source in ("web", "payment")
        ]
        await live.send(logs)
        async with asyncio.timeout(20):
            # Trends emits the anomaly beside the store's flush; a later flush stores it.
            while not (await live.ask("anomalies", limit=1))["anomalies"]:
                await live.send([{"message": "User 7 logged out", "source": "auth"}])
        yield live


async def test_every_question_is_answered_shortly(shop: Live, record_property: Callable[[str, object], None]) -> None:
    table = documented()
    assert list(table) == [question.text for question in QUESTIONS]
    for question in QUESTIONS:
        answers: Answers = []
        made = []
        for call in question.calls:
            tool, arguments = call if isinstance(call, tuple) else call(answers[-1])
            answers.append(await shop.ask(tool, **arguments))
            made.append(tool)
        size = tokens(json.dumps(answers, ensure_ascii=False, separators=(",", ":")))
        print(f"| {question.text} | {', '.join(f'`{tool}`' for tool in made)} | {size} |")
        record_property(question.text, size)
        assert question.says(answers), (question.text, answers)
        assert len(made) <= MOST_CALLS
        assert size <= MOST_TOKENS, question.text
        assert table[question.text] == made


def documented() -> dict[str, list[str]]:
    """The table of the page: question → tools."""
    rows = re.findall(r"^\| ([A-Z][^|]*[.?]) \| ([^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {question: re.findall(r"`(\w+)`", tools) for question, tools in rows}
