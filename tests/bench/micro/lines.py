"""Lines that cannot flatter: what varies in them is never sent twice, and not only its digits vary."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.bench import corpus

Log = dict[str, Any]

_POD = "bcdfghjklmnpqrstvwxz2456789"
_SYLLABLES = [one + two for one in "bcdfghjklmnprstvwz" for two in ("a", "e", "i", "o", "u", "an", "er", "il")]
_SENTENCES = (
    "session {} opened for tenant 42 after 17 ms",
    "request {} finished with status 200 in 31 ms",
    "cannot load {} from cache, asking the store",
    "job {} queued at position 7 of 19",
    "lease of {} expires in 30 s",
    "{} was evicted after 12 reads",
    "upload of {} done: 4096 bytes",
    "worker 3 took over {} from worker 11",
    "retry 2 of 5 for {} in 400 ms",
    "lock held by {} since 12:31:07",
    "no route to {}, giving up",
    "accepted {} on port 8443",
)


def _hex(draw: random.Random, digits: int) -> str:
    return f"{draw.getrandbits(4 * digits):0{digits}x}"


def _name(draw: random.Random) -> str:
    return "".join(draw.choices(_SYLLABLES, k=3))


def _uuid(draw: random.Random) -> str:
    text = _hex(draw, 32)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _ipv6(draw: random.Random) -> str:
    return "2001:db8:" + ":".join(_hex(draw, 4) for _ in range(6))


def _pod(draw: random.Random) -> str:
    return f"api-{''.join(draw.choices(_POD, k=10))}-{''.join(draw.choices(_POD, k=5))}"


KINDS: dict[str, Callable[[random.Random], str]] = {
    "uuid": _uuid,
    "hex12": lambda draw: _hex(draw, 12),
    "hex40": lambda draw: _hex(draw, 40),
    "ipv6": _ipv6,
    "pod": _pod,
    "base64": lambda draw: base64.b64encode(draw.randbytes(20)).decode(),
    "user": lambda draw: f"user {_name(draw)}",
    "email": lambda draw: f"{_name(draw)}.{_name(draw)}@example.com",
    "quoted": lambda draw: f'"{_name(draw)} {_name(draw)}"',
}
"""What varies: a fresh text of each kind."""


USUAL = 3000
"""Lines of a service that come again and again with other digits."""


class Mix(NamedTuple):
    """What lines are made of: this share of them has something of `kinds` that varies, all have this many keys."""

    name: str
    kinds: tuple[str, ...] = ()
    share: float = 1.0
    keys: int = 0


MIXES = (
    *(Mix(kind, (kind,)) for kind in KINDS),
    Mix("30 % with one of these, 2 keys", tuple(KINDS), 0.3, 2),
    Mix("digits, 0 keys"),
    Mix("digits, 2 keys", keys=2),
    Mix("digits, 10 keys", keys=10),
)


def made(mix: Mix, count: int, seed: int) -> list[Log]:
    """Lines that no other seed makes: sentences with something fresh, and the usual lines with other digits."""
    draw = random.Random(seed)
    usual = corpus.logs(USUAL)
    found: list[Log] = []
    for place in range(count):
        log: Log = dict(usual[place % USUAL])
        log["message"] = corpus.redrawn(log["message"], draw)
        if mix.kinds and draw.random() < mix.share:
            fresh = KINDS[draw.choice(mix.kinds)](draw)
            sentence = _SENTENCES[place % len(_SENTENCES)].format(fresh)
            log = {"message": corpus.scrambled(sentence, fresh, draw), "level": "INFO", "source": f"svc-{place % 4}"}
        if mix.keys:
            log["metadata"] = dict(list(_metadata(draw).items())[: mix.keys])
        found.append(log)
    return found


def seen_before() -> list[Log]:
    """Lines of all kinds that a service saw in its first seconds: no line of a mix is among them."""
    return made(Mix("before", tuple(KINDS)), 4000, seed=1)


def _metadata(draw: random.Random) -> dict[str, Any]:
    return {
        "host": f"node-{draw.randrange(20):02}",
        "ms": draw.randrange(900),
        "status": draw.choice((200, 201, 204, 301, 404, 500)),
        "region": draw.choice(("eu-1", "eu-2", "us-1", "ap-1")),
        "user_id": draw.randrange(1_000_000),
        "route": f"/{draw.choice(string.ascii_lowercase)}/list",
        "request_id": _hex(draw, 32),
        "duration": f"{draw.randrange(10_000) / 10} ms",
        "bytes": draw.randrange(100_000),
        "cached": draw.random() < 0.5,
    }
