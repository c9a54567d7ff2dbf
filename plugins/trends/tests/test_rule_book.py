"""Rules by hand in the real service: made, tried on the past, told, deleted; over a restart."""

from __future__ import annotations

import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from log_aggregator.http.access.keys import add_key
from plugins.trends.tests.factories import QUIET, RULED
from tests.support.service import ServiceProcess, StartService


def test_rules_that_are_made_at_once_are_all_kept(start_service: StartService) -> None:
    service = start_service(RULED, QUIET)
    rules = [{"search": f"order {number}", "more_than": number} for number in range(8)]
    with ThreadPoolExecutor(len(rules)) as pool:
        made = list(pool.map(lambda rule: service.post("/rules", rule)[0], [*rules, rules[0]]))
    assert sorted(made) == [201] * len(rules) + [422]
    service.restart()
    assert len(service.get("/rules")["rules"]) == len(rules) + 1


def remove(service: ServiceProcess, rule: dict[str, Any]) -> int:
    try:
        return service.request("DELETE", f"/rules/{rule['id']}")[0]
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_rule_is_made_tried_told_and_deleted(start_service: StartService) -> None:
    service = start_service(RULED, QUIET)
    now = time.time()
    past = [{"message": f"Payment {n} slow", "timestamp": now - 7200 + n} for n in range(30)]
    past += [{"message": "Refund 7 done", "timestamp": now - 5}]
    assert service.post("/ingest/batch", past)[0] == 202
    assert service.post("/flush")[1]["sealed"]
    rule = {"search": "payment slow", "more_than": 20, "within": "10m", "name": "slow", "by": "anna"}
    status, tried = service.post("/rules/test", rule)
    assert (status, tried["alarms"], tried["logs"], len(tried["newest"])) == (200, 1, 30, 1)
    _, longest = service.post("/rules/test", rule | {"since": "-30d"})
    days = datetime.fromisoformat(longest["until"]) - datetime.fromisoformat(longest["since"])
    assert (days, longest["alarms"]) == (timedelta(days=7), 1)
    status, made = service.post("/rules", rule)
    assert (status, made["from"], made["by"]) == (201, "page", "anna")
    assert service.post("/rules", rule)[0] == 422
    for wrong in ({"search": "a"}, {"search": '"a', "more_than": 1}, {"search": "a", "more_than": 1, "nam": "x"}):
        status, problem = service.post("/rules", wrong)
        assert (status, bool(problem["detail"])) == (422, True)
    assert [one["name"] for one in service.get("/rules")["rules"]] == ["any refund", "slow"]
    assert service.post("/ingest/batch", past)[0] == 202
    assert service.post("/flush")[1]["sealed"]
    assert service.post("/flush")
    found = service.get("/anomalies")["anomalies"]
    rules = sorted(one["details"]["series"][0]["rule"] for one in found if one["kind"] == "rule")
    assert rules == ["any refund", "slow"]
    service.restart()
    (of_file, kept) = service.get("/rules")["rules"]
    assert (kept["id"], kept["by"]) == (made["id"], "anna")
    assert remove(service, of_file) == 422
    assert remove(service, kept) == 204
    assert remove(service, kept) == 404
    assert [one["name"] for one in service.get("/rules")["rules"]] == ["any refund"]


def test_the_name_of_the_key_stands_for_who_made_a_rule(start_service: StartService, tmp_path: Path) -> None:
    token = add_key(tmp_path / "keys.toml", "oncall", ["read", "write"])
    bound = add_key(tmp_path / "keys.toml", "shop", ["read", "write"], sources=["shop"])
    service = start_service(RULED, {**QUIET, "API_KEYS_FILE": str(tmp_path / "keys.toml")})
    rule = {"search": "a", "more_than": 1, "by": "anna"}
    status, made = service.post("/rules", rule, {"Authorization": f"Bearer {token}"})
    assert (status, made["by"]) == (201, "oncall")
    for path in ("/rules", "/rules/test"):  # a rule tells of all sources
        assert service.post(path, rule, {"Authorization": f"Bearer {bound}"})[0] == 403
