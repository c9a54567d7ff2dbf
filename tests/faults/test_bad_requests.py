"""Every bad request has its promised answer, and the service is none the worse for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.case import Case
from tests.faults.cases_body import BODY_CASES
from tests.faults.cases_http import GONE, HTTP_CASES
from tests.faults.cases_logs import LOG_CASES, QUERY_CASES
from tests.faults.wire import Answer, ask
from tests.support.service import ServiceProcess

CASES = [*HTTP_CASES, *BODY_CASES, *LOG_CASES, *QUERY_CASES]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    service = ServiceProcess(Path(tmp_path_factory.mktemp("faults")))
    yield service.start()
    service.stop()


@pytest.fixture(scope="module")
def port(running: ServiceProcess) -> int:
    return int(running.url.rsplit(":", 1)[1])


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_bad_request_has_its_promised_answer(port: int, case: Case) -> None:
    check(case, await ask(port, case.request, half_close=case.half_close))


def check(case: Case, answer: Answer) -> None:
    """Whether an answer is the promised one."""
    assert answer.status == case.status, answer
    if case.accepted is not None:
        assert answer.document["accepted"] == case.accepted
        assert case.says in str(answer.document.get("rejected", ""))
        return
    if case.status == GONE:
        return
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.document
    assert problem["status"] == case.status
    assert problem["title"]
    assert problem["detail"]
    assert case.says in problem["detail"]
    if case.status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 1
