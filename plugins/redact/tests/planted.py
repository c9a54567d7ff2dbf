"""Makes up the secrets that `secrets.toml` describes."""

from __future__ import annotations

import base64
import random
import re
import string
import tomllib
from pathlib import Path
from typing import NamedTuple

_ALPHABETS = {
    "a": string.ascii_letters + string.digits,
    "x": "0123456789abcdef",
    "u": string.ascii_letters + string.digits + "-_",
    "U": string.ascii_uppercase + "234567",
    "b": string.ascii_letters + string.digits + "+/",
}


class Planted(NamedTuple):
    """A secret of a kind, and a message that holds it."""

    kind: str
    secret: str
    message: str


def plant(seed: int) -> list[Planted]:
    """One hundred messages of twenty kinds with a secret each."""
    return _planted(seed, "secrets.toml")


def plant_all(seed: int) -> list[Planted]:
    """The same and those of all other kinds."""
    return plant(seed) + _planted(seed, "more_secrets.toml")


def _planted(seed: int, file: str) -> list[Planted]:
    chance = random.Random(seed)
    text = tomllib.loads(Path(__file__).with_name(file).read_text("utf-8"))["lines"]
    found = []
    for entry in text.strip().splitlines():
        kind, form, line = (_unescaped(part) for part in entry.split(" | ", 2))
        secret = re.sub(r"\{(\w+[-_]?)\}", lambda match: make(match[1], chance), form)
        line = re.sub(r"\{(u20)\}", lambda match: make(match[1], chance), line)
        found.append(Planted(kind, secret, line.replace("%s", secret)))
    return found


def _unescaped(text: str) -> str:
    """`\\n`, `\\t` and the escapes of characters that no editor shows."""
    text = text.replace("\\n", "\n").replace("\\t", "\t")
    return re.sub(r"\\u(200b|200d|2060|feff|00ad)", lambda match: chr(int(match[1], 16)), text)


def make(form: str, chance: random.Random) -> str:
    """A made-up part of a secret; with a digit in it, as nearly all have."""
    if form[1:].isdigit():
        alphabet = _ALPHABETS[form[0]]
        text = [chance.choice(alphabet) for _ in range(int(form[1:]))]
        text[chance.randrange(len(text))] = chance.choice("234567")
        return "".join(text)
    if form == "basic":
        return base64.b64encode(f"user:{make('a9', chance)}".encode()).decode()
    if form == "jwt":
        parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"%s"}' % make("a8", chance).encode())
        return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), make("u43", chance)])
    if form == "amex":
        return luhn("37" + "".join(chance.choices(string.digits, k=12)))
    digits = luhn((chance.choice(["4", "52", "6011"]) + "".join(chance.choices(string.digits, k=14)))[:15])
    gap = {"card": "", "card-": "-", "card_": " "}[form]
    return gap.join(digits[start : start + 4] for start in range(0, 16, 4))


def luhn(digits: str) -> str:
    """The number with its check digit."""
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)
