"""What the variable parts of the made-up logs look like: addresses, users, orders, durations."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_PAGES = ("/", "/cart", "/search", "/login", "/api/orders", "/api/orders/{n}", "/products/{n}", "/static/app.{h}.js")
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2)", "curl/8.5.0", "okhttp/4.12")
_FIRST = ("ada", "bo", "chidi", "dana", "emre", "fatima", "goran", "hana", "ines", "jun", "kofi", "lena")
_REGIONS = ("eu-central", "eu-west", "us-east")
_CURRENCIES = ("EUR", "USD", "GBP")


def _page(random: Random) -> str:
    return random.choice(_PAGES).format(n=random.randrange(1, 5000), h=f"{random.getrandbits(32):08x}")


def _uuid(random: Random) -> str:
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _milliseconds(random: Random) -> int:
    return 1 + int(random.expovariate(1 / 40))


DRAW: dict[str, Callable[[Random], object]] = {
    "agent": lambda random: random.choice(_AGENTS),
    "amount": lambda random: f"{random.randrange(199, 49999) / 100:.2f}",
    "attempt": lambda random: random.randrange(1, 5),
    "bytes": lambda random: random.randrange(180, 90_000),
    "currency": lambda random: random.choice(_CURRENCIES),
    "email": lambda random: f"{random.choice(_FIRST)}{random.randrange(100)}@example.com",
    "hash": lambda random: f"{random.getrandbits(160):040x}",
    "ip": lambda random: f"10.{random.randrange(4)}.{random.randrange(256)}.{random.randrange(1, 255)}",
    "ms": _milliseconds,
    "order": lambda random: f"ORD-{random.randrange(10**7, 10**8)}",
    "page": _page,
    "percent": lambda random: random.randrange(71, 99),
    "pid": lambda random: random.randrange(300, 32768),
    "port": lambda random: random.randrange(32768, 61000),
    "region": lambda random: random.choice(_REGIONS),
    "rows": lambda random: random.randrange(1, 4000),
    "seconds": lambda random: f"{random.expovariate(8):.3f}",
    "session": lambda random: f"{random.getrandbits(64):016x}",
    "slow": lambda random: 2000 + random.randrange(8000),
    "user": lambda random: random.randrange(100, 9999),
    "uuid": _uuid,
}
"""Field name → how one value is drawn."""
