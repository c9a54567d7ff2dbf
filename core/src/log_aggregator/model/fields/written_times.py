"""Times as people and programs write them beside ISO 8601: RFC 2822, access logs, `2026/11/30 …`, `… UTC`, no year."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
}  # fmt: skip
"""English abbreviations of the months, as logs use them."""

LONGEST = 80
"""Characters of a time; what is longer is none."""

_ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5,
    "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip

_CLOCK = r"(?P<clock>\d{1,2}:\d\d(?::\d\d)?)(?:[.,](?P<fraction>\d{1,9})\d*)?(?: (?P<half>[AP]M))?"
_ZONE = (
    r"(?:\s*(?:GMT|UTC)?(?P<offset>[+-]\d\d:?(?:\d\d)?))?(?:\s*\(?(?P<zone>[A-Z]{1,5})\)?)?"
    r"(?:\s*\[(?P<region>[\w/+-]{1,40})\])?"
)
_END = r"(?: m=[+-][\d.]+| \([\w ]{1,60}\))?$"
_DAY = r"(?:[A-Za-z]{3,9},?\s+)?"
_FORMS = tuple(
    re.compile(form)
    for form in (
        # 2026-11-30 10:00:00.123 +0100 CET, 2026/11/30 10:00:00, 2026-11-30T10:00:00+01:00[Europe/Berlin]
        rf"(?P<year>\d{{4}})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)(?:[T\s]\s*{_CLOCK}{_ZONE})?{_END}",
        # Mon, 30 Nov 2026 10:00:00 +0000, 30/Nov/2026:10:00:00 +0000, 30-Nov-2026 10:00:00
        rf"{_DAY}(?P<day>\d\d?)[\s/-](?P<month>[A-Za-z]{{3}})[a-z]*[\s/-](?P<year>\d{{4}})[\s:,]\s*{_CLOCK}{_ZONE}{_END}",
        # Mon Nov 30 10:00:00.5 UTC 2026, Nov 30, 2026 10:00:00
        rf"{_DAY}(?P<month>[A-Za-z]{{3}})[a-z]*\s+(?P<day>\d\d?)\s+{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})$",
        rf"{_DAY}(?P<month>[A-Za-z]{{3}})[a-z]*\s+(?P<day>\d\d?),?\s+(?P<year>\d{{4}}),?\s+{_CLOCK}{_ZONE}{_END}",
    )
)
_YEARLESS = re.compile(rf"(?P<month>[A-Za-z]{{3}})\s+(?P<day>\d\d?)\s+{_CLOCK}$")


def read_written(text: str) -> datetime:
    """A time in one of the forms above. Without a zone it is UTC. Raises `ValueError`."""
    if len(text) <= LONGEST:
        for form in _FORMS:
            if found := form.match(text):
                return _moment(found, int(found["year"]))
    raise ValueError("not a time")


def read_yearless(text: str, now: int, zone: tzinfo = UTC) -> datetime:
    """`Nov 30 10:00:00`: the newest such time that is not more than a day after `now` (microseconds).

    Raises `ValueError`.
    """
    found = _YEARLESS.match(text) if len(text) <= LONGEST else None
    if found is None:
        raise ValueError("not a time")
    latest = datetime.fromtimestamp(now / 1e6, UTC) + timedelta(days=1)
    for year in range(latest.year, latest.year - 9, -1):  # 29 February: the leap year may lie some years back
        try:
            moment = _moment(found, year).replace(tzinfo=zone)
        except ValueError:
            continue
        if moment <= latest:
            return moment
    raise ValueError("not a time")


@lru_cache(maxsize=256)
def zone_of(name: str) -> tzinfo:
    """A zone by its name in the tz database, `Europe/Berlin`. Raises `ValueError`."""
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        raise ValueError(f"{name!r}: no such time zone") from None


def _moment(found: re.Match[str], year: int) -> datetime:
    parts = found.groupdict()
    month = parts["month"]
    number = int(month) if month.isdecimal() else MONTHS.get(month[:3].lower(), 0)
    clock = [int(part) for part in (parts["clock"] or "0:0").split(":")]
    if half := parts.get("half"):
        clock[0] = clock[0] % 12 + (12 if half == "PM" else 0)
    second = clock[2] if len(clock) > 2 else 0
    fraction = int(f"{parts['fraction'] or '0':0<6}"[:6])
    # A leap second is one that datetime does not know.
    return datetime(year, number, int(parts["day"]), clock[0], clock[1], min(second, 59), fraction, _zone(parts))


def _zone(parts: dict[str, str | None]) -> tzinfo:
    if offset := parts.get("offset"):
        digits = offset[1:].replace(":", "").ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    if region := parts.get("region"):
        return zone_of(region)
    if zone := parts.get("zone"):
        if zone not in _ABBREVIATIONS:
            raise ValueError("not a known time zone")
        return timezone(timedelta(hours=_ABBREVIATIONS[zone]))
    return UTC
