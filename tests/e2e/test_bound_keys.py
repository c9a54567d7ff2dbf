"""A key that is bound to some sources reads of these sources only: each answer is computed from them, or refused."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from log_aggregator.http.access.keys import Limits, add_key
from tests.support.service import ServiceProcess, StartService

PIPELINE = "".join(f"[plugins.{name}]\n" for name in ("patterns", "sqlite", "dashboard", "mcp", "prometheus", "trends"))
SECRET = "vault"
"""A word of the source that the key may not read."""

LOGS = [
    *[{"message": f"Order {n} paid", "source": "shop", "metadata": {"region": "eu"}} for n in range(3)],
    *[
        {"message": f"Order {n} paid", "source": "bank", "level": "ERROR", "metadata": {"door": SECRET}}
        for n in range(5)
    ],
    *[{"message": f"{SECRET} {n} opened", "source": "bank"} for n in range(7)],
    *[{"message": f"Cart {n} opened", "source": "shop-web"} for n in range(2)],
    {"message": "Cart 9 opened", "source": "shopping"},
]


def ask(service: ServiceProcess, path: str, token: str, body: Any = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(service.url + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def tool(service: ServiceProcess, token: str, name: str, **arguments: Any) -> str:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    status, text = ask(service, "/mcp", token, call)
    assert status == 200, text
    return text


def test_every_answer_is_computed_from_allowed_sources_or_refused(start_service: StartService, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    boss = add_key(file, "boss", ["admin"])
    bound = add_key(file, "bound", ["ingest", "read", "write"], sources=["shop", "shop-*"])
    service = start_service(PIPELINE, {"API_KEYS_FILE": str(file)})
    assert ask(service, "/ingest/batch", boss, LOGS)[0] == 202
    assert ask(service, "/flush", boss, {})[0] == 200

    every = json.loads(ask(service, "/patterns?order=count", boss)[1])["patterns"]
    assert [row["count"] for row in every] == [8, 7, 3]
    answers = [ask(service, "/patterns?order=count", bound)]
    found = json.loads(answers[0][1])["patterns"]
    assert [(row["count"], row["sources"], row["levels"]) for row in found] == [
        (3, {"shop": 3}, {"INFO": 3}),
        (2, {"shop-web": 2}, {"INFO": 2}),
    ]
    paid, hidden = found[0]["pattern_id"], every[1]["pattern_id"]
    paths = [f"/patterns/{paid}", f"/patterns/{paid}/timeline?split_by=level", "/series?split_by=source"]
    paths += ["/anomalies", "/patterns?source=shop-web", "/patterns?q=opened", "/health"]
    answers += [ask(service, path, bound) for path in paths]
    assert {status for status, _ in answers} == {200}
    detail = json.loads(answers[1][1])
    assert (detail["count"], list(detail["metadata"])) == (3, ["region"])
    assert json.loads(answers[2][1])["series"][0]["total"] == 3
    assert {one["name"] for one in json.loads(answers[3][1])["series"]} == {"shop", "shop-web"}
    assert ask(service, f"/patterns/{hidden}", bound)[0] == 404
    for path, expected in (
        ("/series?step=3600&split_by=source", "shop-web"),
        ("/compare?before=-2h..-1h&after=-1h", '"logs":5'),
        ("/marks", "marks"),
        (f"/patterns/{paid}/triage", "open"),
        (f"/patterns?q={SECRET[:3]}", "patterns"),
        ("/patterns?q=meta.door:" + SECRET, "patterns"),
    ):
        answers.append(ask(service, path, bound))
        assert answers[-1][0] == 200, path
        assert expected in answers[-1][1], path
    own = found[1]["pattern_id"]
    muted = {"state": "muted", "mute_times": 3}
    for pattern, status in ((paid, 403), (own, 403 if "shopping" in every[2]["sources"] else 200), (hidden, 404)):
        answers.append(ask(service, f"/patterns/{pattern}/triage", bound, muted))
        assert answers[-1][0] == status, "triage holds for all logs of a pattern, also those of other sources"
    assert ask(service, f"/patterns/{paid}/triage", boss, muted)[0] == 200
    for path in ("/stats", "/metrics", "/health/db", "/patterns?source=bank", "/series?source=shopping",
                 "/dashboard/tail?source=bank"):  # fmt: skip
        answers.append(ask(service, path, bound))
        assert answers[-1][0] == 403, path
    for name, arguments in (
        ("top_patterns", {}), ("search", {"text": "opened"}), ("error_rates", {}), ("new_patterns", {}),
        ("spiking_patterns", {}), ("pattern_detail", {"pattern_id": paid}), ("anomalies", {"state": "any"}),
        ("log_metrics", {}), ("performance", {}), ("aggregation_statistics", {}),
    ):  # fmt: skip
        answers.append((200, tool(service, bound, name, **arguments)))
    for _, text in answers:
        assert SECRET not in text
        assert "bank" not in text.replace("source 'bank': not allowed", "")
    assert "Order" in tool(service, bound, "top_patterns")


def test_the_live_tail_shows_allowed_sources_only(start_service: StartService, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    boss, bound = add_key(file, "boss", ["admin"]), add_key(file, "bound", ["read"], sources=["shop"])
    service = start_service(PIPELINE, {"API_KEYS_FILE": str(file)})
    request = urllib.request.Request(f"{service.url}/dashboard/tail", headers={"Authorization": f"Bearer {bound}"})
    with urllib.request.urlopen(request, timeout=60) as stream:
        assert stream.readline().startswith(b":")
        assert ask(service, "/ingest/batch", boss, LOGS)[0] == 202
        line = b""
        while not line.startswith(b"data: "):
            line = stream.readline()
    assert {log["source"] for log in json.loads(line[6:])["logs"]} == {"shop"}


def test_last_use_and_quota_outlive_a_restart(start_service: StartService, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    some = add_key(file, "some", limits=Limits(quota=4))
    service = start_service(PIPELINE, {"API_KEYS_FILE": str(file)})
    assert ask(service, "/ingest/batch", some, LOGS[:3])[0] == 202
    service.restart()
    assert ask(service, "/ingest/batch", some, LOGS[:1])[0] == 202
    assert ask(service, "/ingest", some, LOGS[0])[0] == 429
