"""Stack traces in the default pipeline: grouped by what was raised, whatever the stages after would make of them."""

from __future__ import annotations

from pathlib import Path

from tests.support.service import ServiceProcess

ROOT = Path(__file__).parents[2]
TRACE = """Traceback (most recent call last):
  File "/srv/app/orders.py", line {line}, in charge
    pay(order)
  File "/srv/app/bank.py", line 7, in pay
    raise Declined({number})
bank.Declined: card of customer {number} was declined
"""


def test_traces_are_one_pattern_and_templates_do_not_learn_from_them(tmp_path: Path) -> None:
    service = ServiceProcess(tmp_path, (ROOT / "plugins.toml").read_text()).start()
    try:
        logs = [
            {"message": TRACE.format(line=number % 9 + 10, number=number), "source": "shop"} for number in range(60)
        ]
        assert service.post("/ingest/batch", logs)[0] == 202
        assert service.post("/flush")[0] == 200
        patterns = service.get("/patterns")["patterns"]
        assert [(pattern["count"], pattern["sources"]) for pattern in patterns] == [(60, {"shop": 60})]
        assert "Declined" in patterns[0]["pattern"]
        assert patterns[0]["pattern"].startswith("{TRACE}")
    finally:
        service.stop()
