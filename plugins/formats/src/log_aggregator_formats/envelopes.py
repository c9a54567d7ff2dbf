"""What stands around a message: container runtimes, syslog, klog, Chromium, Redis, the kernel, Docker Compose."""

from __future__ import annotations

import re

from log_aggregator.model.fields.levels import SYSLOG
from log_aggregator_formats.found import MONTHS, Found
from log_aggregator_formats.words import meaning

_MONTH = f"(?:{'|'.join(MONTHS)})"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_TAG = r"(?P<tag>[\w./@()-]{1,80}?)(?:\[(?P<pid>\d{1,10})\])?:(?:\s|$)"
_COMPOSE = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]{0,60}?)-(?P<number>\d{1,4})\s+\| ?")
_CRI = re.compile(rf"(?P<time>{_ISO}) (?P<stream>stdout|stderr) (?P<part>[FP]) ")
_SYSLOG = re.compile(rf"(?P<time>{_MONTH} [ \d]\d \d\d:\d\d:\d\d|{_ISO}) (?:(?P<host>[\w.:-]{{1,80}}) )?{_TAG}")
_RFC5424 = re.compile(
    rf"1 (?P<time>{_ISO}|-) (?P<host>\S{{1,255}}) (?P<tag>\S{{1,48}}) (?P<pid>\S{{1,128}}) (?P<msgid>\S{{1,32}}) "
    r"(?:-|(?P<data>(?:\[(?:[^\]\\]|\\.)*\])+))(?: \ufeff?|$)"
)
_OPENWRT = re.compile(
    rf"(?P<time>[A-Z][a-z]{{2}} {_MONTH} [ \d]\d \d\d:\d\d:\d\d \d{{4}}) "
    rf"(?P<facility>kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local\d)\.(?P<level>[a-z]{{3,7}}) (?P<host>){_TAG}"
)
_PARAMETER = re.compile(r'([\w.@-]{1,60})="([^"\\]*(?:\\.[^"\\]*)*)"')
_PRIORITY = re.compile(r"<(\d{1,3})>")
_KLOG = re.compile(
    r"(?P<level>[IWEF])(?P<year>\d{4})?(?P<month>\d\d)(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d\.\d{1,9})\s+(?P<pid>\d+) (?P<caller>[\w./-]{1,120}:\d+)\] "
)
_CHROMIUM = re.compile(
    r"\[(?:(?P<pid>\d{1,10}):(?P<thread>\d{1,20}):)?(?P<month>\d\d)(?P<day>\d\d)/(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d(?:\.\d{1,6})?):"
    r"(?P<level>VERBOSE|INFO|WARNING|ERROR|FATAL)\d{0,2}:(?P<caller>[\w./-]{1,120}(?::\d{1,7}|\(\d{1,7}\)))\]\s"
)
_PROCESS = re.compile(r"\[(?P<pid>\d{1,8})\] (?=\d{4}[/-]\d\d[/-]\d\d[ T]\d\d:)")
_REDIS = re.compile(
    r"(?P<pid>\d+):(?P<role>[MCSX]) (?P<time>\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d{2,3}\.\d{3}) (?P<mark>[.\-*#]) "
)
_KERNEL = re.compile(r"\[\s*(?P<uptime>\d{1,9}\.\d{6})\]\s")
_LOGCAT = re.compile(
    r"(?P<month>\d\d)-(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d\.\d{3})\s+(?P<pid>\d+)\s+(?P<tid>\d+) (?P<level>[VDIWEF]) (?P<tag>[^:\n]{1,60}?)\s*: "
)
_LOGCAT_BRIEF = re.compile(r"(?P<level>[VDIWEF])/(?P<tag>[\w.$-]{1,60})(?:\(\s*(?P<pid>\d+)\))?: ")
_MARKS = {".": "DEBUG", "-": "INFO", "*": "INFO", "#": "WARN"}
_LETTERS = {"V": "TRACE", "D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}


def compose(found: Found) -> bool:
    """`web-1  | …`: the service is the source."""
    match = _COMPOSE.match(found.text)
    if match is None:
        return False
    found.source = found.source or match["name"]
    found.take_field("container", f"{match['name']}-{match['number']}")
    found.text = found.text[match.end() :].lstrip()
    return bool(found.text)


def cri(found: Found) -> bool:
    """`2026-03-01T10:00:00.1Z stderr F …`: containerd and CRI-O."""
    match = _CRI.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    found.take_field("stream", match["stream"])
    found.text = found.text[match.end() :]
    return True


def syslog(found: Found) -> bool:
    """`Mar  1 10:00:00 host app[9]: …`, and with an ISO time as rsyslog writes it."""
    match = _SYSLOG.match(found.text)
    if match is None or meaning(match["host"] or match["tag"]) or not found.take_time(match["time"]):
        return False
    _take_tag(found, match)
    found.text = found.text[match.end() :].lstrip(" ")
    return True


def openwrt(found: Found) -> bool:
    """`Sun Mar  1 10:00:00 2026 daemon.warn app[9]: …`, as OpenWrt's `logread` writes it."""
    match = _OPENWRT.match(found.text)
    if match is None or not meaning(match["level"]) or not found.take_time(match["time"]):
        return False
    found.level = meaning(match["level"])
    found.take_field("facility", match["facility"])
    _take_tag(found, match)
    found.text = found.text[match.end() :].lstrip(" ")
    return True


def _take_tag(found: Found, match: re.Match[str]) -> None:
    tag = match["tag"]
    if tag != "-":
        if found.source:
            found.take_field("program", tag)
        else:
            found.source = tag
    found.take_field("host", match["host"])
    found.take_field("pid", match["pid"])


def priority(found: Found) -> bool:
    """`<3>…` of the kernel and systemd, `<34>Mar  1 …` and `<34>1 …` of syslog."""
    match = _PRIORITY.match(found.text)
    if match is None or int(match[1]) > 191:
        return False
    number, text = int(match[1]), found.text[match.end() :]
    inner = Found(text, found.now, found.zone)
    new = _RFC5424.match(text)
    if new is not None and (new["time"] == "-" or inner.take_time(new["time"])):
        _take_tag(inner, new)
        if new["msgid"] != "-":
            inner.take_field("msgid", new["msgid"])
        for name, value in _PARAMETER.findall(new["data"] or ""):
            inner.take_field(name, re.sub(r"\\(.)", r"\1", value))
        inner.text = text[new.end() :]
    elif not syslog(inner) and (number > 7 or not text[:1].strip()):
        return False
    found.text = inner.text
    found.level = SYSLOG[number & 7]
    found.timestamp = found.timestamp or inner.timestamp
    found.source = found.source or inner.source
    found.fields = {**inner.fields, **found.fields}
    return True


def klog(found: Found) -> bool:
    """`E0617 12:48:10.369353  118528 kubelet.go:1875] …`: Kubernetes; glog writes the year as well."""
    match = _KLOG.match(found.text)
    if match is None:
        return False
    year, month, day, clock = match.group("year", "month", "day", "clock")
    if not (found.take_time(f"{year}-{month}-{day}T{clock}Z") if year else found.take_day(month, day, clock)):
        return False
    return _take_letter(found, match, caller=match["caller"])


def chromium(found: Found) -> bool:
    """`[20562:20594:1130/154704.521546:ERROR:dbus/bus.cc:405] …`: Chromium, Electron, CEF."""
    match = _CHROMIUM.match(found.text)
    if match is None:
        return False
    month, day, *clock = match.group("month", "day", "hour", "minute", "second")
    if not found.take_day(month, day, ":".join(clock)):
        return False
    found.level = meaning(match["level"])
    for name in ("pid", "thread", "caller"):
        found.take_field(name, match[name])
    found.text = found.text[match.end() :]
    return True


def process(found: Found) -> bool:
    """`[20826] 2026/11/30 15:47:13.450810 [INF] …`: the process before a time, as NATS writes it."""
    match = _PROCESS.match(found.text)
    if match is None:
        return False
    found.take_field("pid", match["pid"])
    found.text = found.text[match.end() :]
    return True


def logcat(found: Found) -> bool:
    """`03-01 10:00:00.123  1234  5678 E Tag: …`: Android."""
    match = _LOGCAT.match(found.text)
    if match is None or not found.take_day(*match.group("month", "day", "clock")):
        return False
    return _take_letter(found, match, logger=match["tag"])


def logcat_brief(found: Found) -> bool:
    """`E/Tag( 1234): …`."""
    match = _LOGCAT_BRIEF.match(found.text)
    return match is not None and _take_letter(found, match, logger=match["tag"])


def _take_letter(found: Found, match: re.Match[str], **fields: str) -> bool:
    """Take a level that is a letter, the process and other fields; the rest is the message."""
    found.level = _LETTERS[match["level"]]
    found.take_field("pid", match["pid"])
    for name, value in fields.items():
        found.take_field(name, value)
    found.text = found.text[match.end() :]
    return True


def redis(found: Found) -> bool:
    """`1:M 01 Mar 2026 10:00:00.001 # …`."""
    match = _REDIS.match(found.text)
    if match is None or not found.take_time(match["time"]):
        return False
    found.level = _MARKS[match["mark"]]
    found.take_field("pid", match["pid"])
    found.take_field("role", match["role"])
    found.text = found.text[match.end() :]
    return True


def kernel(found: Found) -> bool:
    """`[    0.000000] …`: seconds since the start of the machine."""
    match = _KERNEL.match(found.text)
    if match is None:
        return False
    found.take_field("uptime", float(match["uptime"]))
    found.text = found.text[match.end() :]
    return True
