"""The time of a syslog message: ISO with a zone, or the traditional one that has neither year nor zone."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from log_aggregator.model.fields.timestamps import microseconds_of

AHEAD = timedelta(days=1)
"""How far ahead of ours a clock may be before a time is taken for one of the year before."""


def timestamp_of(text: str, zone: tzinfo | None, now: datetime) -> int | str | None:
    """A time as sent → microseconds since the epoch; `None` when there is none or it cannot be read.

    A time before 2000, of a clock that was never set, stays a text: as a number it may look like seconds.

    `zone` is that of times without one, `None` the zone of this machine. Without a year it is the newest that is not
    in the future; `now` has a zone.
    """
    if not text:
        return None
    text = text.replace(",", ".")
    try:
        moment = datetime.fromisoformat(text) if text[0].isdigit() else _traditional(text, now)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()
    if not text[0].isdigit() and not _has_year(text) and moment > now + AHEAD:
        moment = moment.replace(year=moment.year - 1)
    return microseconds_of(moment) if moment.year >= 2000 else moment.isoformat()


def _has_year(text: str) -> bool:
    return text[7:11].isdigit()


def _traditional(text: str, now: datetime) -> datetime:
    whole, _, fraction = text.partition(".")
    dated = whole if _has_year(whole) else f"{whole[:6]} {now.year}{whole[6:]}"
    try:
        moment = datetime.strptime(dated, "%b %d %Y %H:%M:%S")  # noqa: DTZ007  the zone is added by the caller
    except ValueError:  # the 29th of February in a year that has none
        moment = datetime.strptime(f"{whole[:6]} {now.year - 1}{whole[6:]}", "%b %d %Y %H:%M:%S")  # noqa: DTZ007
    return moment.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction else moment
