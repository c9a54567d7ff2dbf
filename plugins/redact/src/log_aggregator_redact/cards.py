"""Payment card numbers: what may be one, seen by its shape, and what is one, by issuer and check digit."""

from __future__ import annotations

import re

GATE = r"\b0000(?:0{9,15}|[ -]0000[ -]0000[ -]0{1,7}|[ -]000000[ -]0{4,5})\b"
"""How a candidate looks in a shape, where `0` stands for any digit."""

CANDIDATE = re.compile(
    r"(?<![\w.$+-])\d{4}"
    r"(?:\d{9,15}|(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{1,7}|[ -]\d{6}[ -]\d{4,5})(?![\w$]|[.-]\d)",
    re.ASCII,
)
"""13 to 19 digits in one run, or in the groups that are printed on cards."""

_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|62\d{14,17}"
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_card(text: str) -> bool:
    """Whether a candidate has the first digits of a card issuer, its length, and a right check digit (Luhn)."""
    digits = text.replace(" ", "").replace("-", "")
    if not _ISSUERS.fullmatch(digits):
        return False
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0
