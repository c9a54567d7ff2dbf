"""Uploads of journals: entries become records, what is sent again is counted once, what is hostile is refused."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_aggregator import Batch, RetryableError, hookimpl
from log_aggregator_journald.export import LARGEST, ExportError, ExportReader
from tests.support.sender import Sender, sending

MICROS = 1_790_000_000_000_042
UPLOAD = "/upload"
JOURNAL = {"Content_Type": "application/vnd.fdo.journal"}


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with sending("[plugins.journald]") as sender:
        yield sender


def entry(number: int, message: str | bytes = "m", journal: str = "a1", **fields: Any) -> bytes:
    lines = {
        "__CURSOR": f"s={journal};i={number:x};b=2;m=3;t=4;x=5",
        "__REALTIME_TIMESTAMP": MICROS + number,
        "SYSLOG_IDENTIFIER": "shop",
        **fields,
    }
    text = message.encode() if isinstance(message, str) else message
    head = "".join(f"{name}={value}\n" for name, value in lines.items() if value is not None).encode()
    if b"\n" in text or not text.isascii():
        return head + b"MESSAGE\n" + struct.pack("<Q", len(text)) + text + b"\n\n"
    return head + b"MESSAGE=" + text + b"\n\n"


async def upload(sender: Sender, *entries: bytes) -> int:
    return (await sender.post(UPLOAD, b"".join(entries), **JOURNAL)).status


async def test_an_entry(sender: Sender) -> None:
    body = entry(0, "first line\nsecond", PRIORITY=4, _PID=42, _BOOT_ID="x", _AUDIT_LOGINUID=7, CODE_FILE="a=b.c")
    assert await sender.records(UPLOAD, body, **JOURNAL) == [
        {
            "message": "first line\nsecond",
            "level": "WARN",
            "source": "shop",
            "timestamp": "2026-09-21T14:13:20.000042Z",
            "metadata": {"pid": "42", "code_file": "a=b.c"},
        }
    ]


@pytest.mark.parametrize(
    ("message", "fields", "expected"),
    [
        ("m", {"SYSLOG_IDENTIFIER": None, "_SYSTEMD_UNIT": "shop.service"}, {"source": "shop.service"}),
        ("m", {"CONTAINER_NAME": "web", "CONTAINER_ID": "c"}, {"source": "web"}),
        ("m", {"_SOURCE_REALTIME_TIMESTAMP": MICROS + 7}, {"timestamp": "2026-09-21T14:13:20.000049Z"}),
        ("m", {}, {"level": "INFO"}),
        ("m", {"PRIORITY": 0}, {"level": "FATAL"}),
        ('{"level": "error", "msg": "x"}', {"PRIORITY": 6, "_TRANSPORT": "stdout"}, {"level": "ERROR", "message": "x"}),
        ('{"level": "error", "msg": "x"}', {"PRIORITY": 4, "_TRANSPORT": "stdout"}, {"level": "WARN"}),
        ('{"level": "warn", "msg": "x"}', {"PRIORITY": 3, "CONTAINER_ID": "c"}, {"level": "WARN"}),
        (b"caf\xc3\xa9 \xff", {}, {"message": "caf\u00e9 \ufffd"}),
    ],
)
async def test_fields(sender: Sender, message: str | bytes, fields: Any, expected: dict[str, str]) -> None:
    record = (await sender.records(UPLOAD, entry(1, message, **fields), **JOURNAL))[0]
    assert {name: record[name] for name in expected} == expected


async def test_what_is_sent_again_is_counted_once_wherever_the_upload_was_cut(tmp_path: Path) -> None:
    """A client begins again at its cursor, with more entries than the first time."""
    for number, cut in enumerate((300, 700, 1200)):
        async with sending("[plugins.journald]", data_dir=tmp_path) as sender:
            journal = f"b{number}"
            entries = [entry(n, f"m {n}", journal) for n in range(1, 1500)]
            assert await upload(sender, *entries[:cut]) == 202
            assert await upload(sender, *entries) == 202
            assert (await sender.figures("journald"))["duplicates"] == cut
            await sender.service.flush()
            assert await sender.accepted() == 1499
    async with sending("[plugins.journald]", data_dir=tmp_path) as sender:  # after a restart, too
        assert await upload(sender, *entries) == 202
        await sender.service.flush()
        assert await sender.accepted() == 0


async def test_journals_and_entries_without_a_cursor_are_told_apart(sender: Sender) -> None:
    for _ in range(2):
        mixed = [entry(1, "a", "c1"), entry(1, "b", "c2"), entry(2, "c", "c1"), entry(3, "d", __CURSOR=None)]
        assert await upload(sender, *mixed) == 202
    await sender.service.flush()
    assert await sender.accepted() == 3 + 2


async def test_two_uploads_of_one_journal_at_once_are_counted_once(sender: Sender) -> None:
    """A client that was cut off begins again while its first upload is still being taken in."""
    entries = [entry(n, f"m {n}") for n in range(1, 2000)]
    assert set(await asyncio.gather(*(upload(sender, *entries) for _ in range(5)))) == {202}
    await sender.service.flush()
    assert await sender.accepted() == 1999


class Full:
    """Takes nothing that says so."""

    on_error = "refuse"

    @hookimpl
    def on_ingest(self, batch: Batch) -> None:
        if any(record.message == "full" for record in batch):
            raise RetryableError("full")


async def test_an_upload_that_is_refused_half_way_goes_on_where_it_was() -> None:
    async with sending("[plugins.journald]", given={"full": Full()}) as sender:
        before = [entry(n, "m") for n in range(1, 600)]
        answer = await sender.post(UPLOAD, b"".join([*before, entry(600, "full")]), **JOURNAL)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert await upload(sender, *before, entry(600, "m")) == 202
        await sender.service.flush()
        assert await sender.accepted() == 600


async def test_entries_without_a_message_cost_themselves(sender: Sender) -> None:
    assert await upload(sender, entry(1), b"__CURSOR=s=a1;i=2\nPRIORITY=3\n\n", entry(3)) == 202
    figures = await sender.figures("journald")
    assert (figures["accepted"], figures["rejected"]) == (2, 1)


def test_entries_come_in_pieces_of_any_length() -> None:
    large = b"CORE\n" + struct.pack("<Q", LARGEST + 5) + b"x\n" * ((LARGEST + 5) // 2) + b"x\n"
    body = entry(1, "a\nb") + large + entry(2) + b"\n\n" + entry(3, "\u00e9")
    for size in (1, 7, 1000, 65_536, len(body)):
        if size == 1 and len(body) > 1_000_000:
            continue
        reader = ExportReader()
        found = [one for at in range(0, len(body), size) for one in reader.feed(body[at : at + size])]
        found += reader.end()
        assert [one["MESSAGE"].decode() for one in found] == ["a\nb", "m", "\u00e9"]
        assert found[1]["CORE"] == b"[%d bytes left out]" % (LARGEST + 5)
    reader = ExportReader()
    assert len([one for byte in entry(1, "a\nb") for one in reader.feed(bytes([byte]))]) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"MESSAGE\n" + struct.pack("<Q", 2**63) + b"x",
        b"MESSAGE\n" + struct.pack("<Q", 3) + b"abcd\n\n",
        b"=no name\n\n",
        b"<html>\n",
        b"MESSAGE=broken off",
        b"X" * (9 * 1024 * 1024),
    ],
)
async def test_hostile_uploads_are_refused(sender: Sender, body: bytes) -> None:
    assert await upload(sender, body) == 400
    reader = ExportReader()
    with pytest.raises(ExportError):
        [*reader.feed(body), *reader.end()]


async def test_other_types_are_refused_and_many_fields_are_cut(sender: Sender) -> None:
    assert (await sender.post(UPLOAD, b"x", Content_Type="text/html")).status == 415
    many = entry(1, **{f"F{n}": n for n in range(10_000)})
    assert len((await sender.records(UPLOAD, many, **JOURNAL))[0]["metadata"]) <= 65


async def test_damaged_uploads_never_fail_the_service(sender: Sender) -> None:
    chance = random.Random(11)
    good = entry(1, "a\nb", PRIORITY=4) + entry(2)
    for _ in range(300):
        damaged = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        assert await upload(sender, bytes(damaged[: chance.randrange(len(damaged) + 1)])) in (202, 400)
