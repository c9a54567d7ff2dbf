"""A batch arrives once, whatever happens on the way; or it is said why not."""

from __future__ import annotations

import json
import time

import pytest

from log_aggregator_client import Delivery, DeliveryError, Outcome, Refusal


def logs(*messages: str) -> list[bytes]:
    return [json.dumps({"message": message}).encode() for message in messages]


@pytest.fixture
def deliver():
    made: list[Delivery] = []

    def make(*args, **options) -> Delivery:
        made.append(Delivery(*args, **options))
        return made[-1]

    yield make
    for delivery in made:
        delivery.close()


def overloaded(status: int, retry_after: str = "0.01"):
    return lambda lines: (status, {"Retry-After": retry_after}, {"title": "busy", "detail": "the journal is full"})


def test_counts_what_was_accepted_and_refused(server, deliver):
    delivery = deliver(server.url)
    outcome = delivery.send([*logs("a"), b'{"message": 5}', b"no json", *logs("b")])
    assert outcome == Outcome(2, 2, (Refusal(1, "message: expected text"), Refusal(2, "message: expected text")))
    assert server.messages == ["a", "b"]


def test_a_batch_of_bad_logs_is_refused_one_by_one(server, deliver):
    assert deliver(server.url).send([b"{}", b"1"]) == Outcome(
        0,
        2,
        (
            Refusal(0, "message: expected text"),
            Refusal(1, "message: expected text"),
        ),
    )


@pytest.mark.parametrize("status", [429, 503, 500, 502])
def test_tries_again_with_the_same_key(server, status, deliver):
    server.next_answers = [overloaded(status), overloaded(status)]
    delivery = deliver(server.url)
    assert delivery.send(logs("a")).accepted == 1
    assert delivery.retries == 2
    assert len({request["Idempotency-Key"] for request in server.requests}) == 1
    assert server.messages == ["a"]


def test_another_batch_has_another_key(server, deliver):
    delivery = deliver(server.url)
    delivery.send(logs("a"))
    delivery.send(logs("a"))
    assert server.messages == ["a", "a"]


def test_a_lost_answer_does_not_count_twice(server, deliver):
    server.lose_answers = 2
    assert deliver(server.url).send(logs("a", "b")).accepted == 2
    assert server.messages == ["a", "b"]
    assert len(server.requests) == 3


def test_waits_as_long_as_the_service_asks(server, deliver):
    waits = []
    server.next_answers = [overloaded(429, "7")]
    deliver(server.url, wait=waits.append).send(logs("a"))
    assert waits == [7.0]


def test_pauses_grow_while_nobody_answers(deliver):
    waits = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 6

    with pytest.raises(DeliveryError, match="no answer"):
        deliver("http://127.0.0.1:1", wait=wait, patience=1000).send(logs("a"))
    assert all(0.1 * 2**n <= seconds <= 0.2 * 2**n for n, seconds in enumerate(waits))


def test_gives_up_after_its_patience(deliver):
    started = time.monotonic()
    with pytest.raises(DeliveryError, match=r"gave up after 0\.3 s"):
        deliver("127.0.0.1:1", patience=0.3).send(logs("a"))
    assert time.monotonic() - started < 30


def test_halves_a_batch_that_is_too_large(server, deliver):
    too_large = lambda lines: (413, {}, {"detail": "too large"}) if len(lines) > 2 else None  # noqa: E731
    server.next_answers = [too_large] * 20
    batch = [*logs("a", "b", "c", "d"), b"bad", *logs("e")]
    assert deliver(server.url).send(batch) == Outcome(5, 1, (Refusal(4, "message: expected text"),))
    assert server.messages == ["a", "b", "c", "d", "e"]


def test_a_single_log_that_is_too_large_is_refused(server, deliver):
    server.next_answers = [lambda lines: (413, {}, {"detail": "at most 16 MiB"})]
    assert deliver(server.url).send(logs("a")) == Outcome(0, 1, (Refusal(0, "413 at most 16 MiB"),))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_stops_at_once_when_asking_again_would_not_help(server, status, deliver):
    server.next_answers = [lambda lines: (status, {}, {"detail": "an API key is needed"})]
    with pytest.raises(DeliveryError, match=f"{status} an API key is needed"):
        deliver(server.url).send(logs("a"))
    assert len(server.requests) == 1


def test_sends_the_api_key(server, deliver):
    deliver(server.url, api_key="k1").send(logs("a"))
    assert server.requests[0]["Authorization"] == "Bearer k1"


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host:port"])
def test_a_wrong_address_is_named(url):
    with pytest.raises(ValueError, match="expected an address such as"):
        Delivery(url)


def test_counts_refusals_that_the_service_does_not_name(server, deliver):
    server.next_answers = [
        lambda lines: (202, {}, {"accepted": 1, "rejected": [{"index": 1, "error": "odd"}], "rejected_count": 2})
    ]
    assert deliver(server.url).send(logs("a", "b", "c")) == Outcome(1, 2, (Refusal(1, "odd"),))


def test_an_answer_that_is_no_answer_stops(server, deliver):
    server.next_answers = [lambda lines: (202, {}, {"hello": "another program"})]
    with pytest.raises(DeliveryError, match=r"202 .* is this a log aggregator"):
        deliver(server.url).send(logs("a"))
