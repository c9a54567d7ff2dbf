"""A changed bit in a frame is told from a torn write, and set right where only one bit can have been it."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from log_aggregator.storekit.wal import frames_lost, mend
from log_aggregator.storekit.wal_frames import FRAME_HEADER, HEADER, Log, examine, read_log

ROWS = 20
STEP = 4096 + FRAME_HEADER


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database and its log of twenty transactions, as a kill leaves them."""
    live, left = tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("left")
    with closing(sqlite3.connect(live / "a.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE a (number INTEGER PRIMARY KEY, text)")
        for number in range(ROWS):
            connection.execute("INSERT INTO a VALUES (?, ?)", (number, f"{number} " * 300))
        for suffix in ("", "-wal"):
            shutil.copy(live / f"a.sqlite3{suffix}", left)
    return left


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "data") / "a.sqlite3"


def log_of(path: Path) -> Path:
    return path.with_name("a.sqlite3-wal")


def numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT number, text FROM a").fetchall()
    assert all(text == f"{number} " * 300 for number, text in rows)
    return [number for number, _ in rows]


def change(path: Path, place: int, content: bytes) -> None:
    with log_of(path).open("r+b") as file:
        file.seek(place)
        file.write(content)


def read(path: Path) -> Log:
    log = read_log(log_of(path))
    assert log is not None
    return log


@pytest.mark.parametrize("seed", range(20))
def test_a_changed_bit_is_set_right_or_costs_a_page_that_is_named(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    content = log_of(path).read_bytes()
    place = chance.randrange(HEADER + STEP, len(content))
    change(path, place, bytes([content[place] ^ 1 << chance.randrange(8)]))
    examined = examine(read(path), 0)
    assert examined.frames == (len(content) - HEADER) // STEP
    lost = frames_lost(path)
    damage = mend(path)
    assert (damage.frames if damage else 0) == lost > 0
    if not examined.damaged:
        assert numbers(path) == list(range(ROWS))
    assert frames_lost(path) == 0
    assert mend(path) is None


@pytest.mark.parametrize("place", [*range(16, FRAME_HEADER), STEP - 8, STEP - 7, STEP - 4, STEP - 3])
@pytest.mark.parametrize("bit", [0, 4])
def test_a_changed_bit_is_told_from_one_in_the_checksum(path: Path, place: int, bit: int) -> None:
    """In the last words of a page a bit changes the checksum by one bit, too: the frame behind tells which it was."""
    at = HEADER + STEP * 9 + place
    change(path, at, bytes([log_of(path).read_bytes()[at] ^ 1 << bit]))
    assert examine(read(path), 0).damaged == []
    assert mend(path) is not None
    assert numbers(path) == list(range(ROWS))


def test_a_checksum_that_is_wrong_by_many_bits_costs_nothing(path: Path) -> None:
    change(path, HEADER + STEP * 9 + 16, b"\x5a" * 8)
    assert examine(read(path), 0).damaged == []
    assert mend(path) is not None
    assert numbers(path) == list(range(ROWS))


def test_a_changed_bit_in_the_last_checksum_costs_nothing(path: Path) -> None:
    at = log_of(path).stat().st_size - STEP + 20
    change(path, at, bytes([log_of(path).read_bytes()[at] ^ 4]))
    assert mend(path) is not None
    assert numbers(path) == list(range(ROWS))


@pytest.mark.parametrize("place", range(HEADER))
def test_a_changed_bit_of_the_header_is_set_right(path: Path, place: int) -> None:
    change(path, place, bytes([log_of(path).read_bytes()[place] ^ 16]))
    lost = frames_lost(path)
    damage = mend(path)
    assert damage is not None
    assert damage.frames == lost > 0
    assert numbers(path) == list(range(ROWS))


@pytest.mark.parametrize("frame", [-4, -1])
def test_no_bit_of_a_frame_s_header_or_last_words_costs_another_frame(path: Path, frame: int) -> None:
    """Of salts and checksums the content is known; what may have been changed in the content itself is named."""
    log = read(path)
    frames = log.last()
    number = frame % frames
    contents = [log.content(each) for each in range(frames)]
    for offset in [*range(FRAME_HEADER), *range(STEP - 8, STEP)]:
        for bit in (0, 1, 5, 7):
            data = bytearray(log.data)
            data[log.at(number) + offset] ^= 1 << bit
            damaged = log._replace(data=bytes(data))
            examined = examine(damaged, number)
            assert examined.frames == frames, (offset, bit)
            wrong = [
                each
                for each in range(frames)
                if (examined.corrected.get(each) or damaged.content(each)) != contents[each]
            ]
            assert set(wrong) <= set(examined.damaged) <= {number}, (offset, bit)
            assert not wrong or offset not in range(8, FRAME_HEADER), (offset, bit)


@pytest.mark.parametrize("place", range(8, FRAME_HEADER))
def test_a_changed_bit_of_salts_or_checksum_is_found_before_sqlite_opens_the_file(path: Path, place: int) -> None:
    """By `verify` and `backup`, too."""
    at = HEADER + STEP * 9 + place
    change(path, at, bytes([log_of(path).read_bytes()[at] ^ 1]))
    lost = frames_lost(path)
    damage = mend(path)
    assert damage is not None
    assert damage.frames == lost > 0
    assert numbers(path) == list(range(ROWS))


@pytest.mark.parametrize("seed", range(5))
def test_a_last_transaction_that_was_torn_is_dropped_and_is_no_damage(path: Path, seed: int) -> None:
    """Its sectors are some of them what was there before: a power cut before the sync."""
    chance = random.Random(seed)
    size = log_of(path).stat().st_size
    for sector in chance.sample(range(8), 4):
        change(path, size - 4096 + 512 * sector, chance.randbytes(512))
    assert frames_lost(path) == 0
    assert mend(path) is None
    assert numbers(path) == list(range(ROWS - 1))


def test_while_another_process_has_the_file_open_nothing_is_looked_at(path: Path) -> None:
    program = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1]); "
        "connection.execute('SELECT count(*) FROM a').fetchone(); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        change(path, HEADER + STEP * 9 + 1000, b"?")
        content = log_of(path).read_bytes()
        assert (frames_lost(path), mend(path)) == (0, None)
        assert log_of(path).read_bytes() == content
        other.kill()
    assert frames_lost(path) > 0


def test_a_mend_that_cannot_be_written_leaves_the_log_and_no_copies(path: Path) -> None:
    change(path, HEADER + STEP * 9 + 1000, b"?")
    content = log_of(path).read_bytes()
    path.with_name("a.sqlite3-mended-part").mkdir()
    with pytest.raises(IsADirectoryError):
        mend(path)
    assert log_of(path).read_bytes() == content
    assert not list(path.parent.glob("*.damaged-*"))
    path.with_name("a.sqlite3-mended-part").rmdir()
    assert mend(path) is not None


def test_a_torn_frame_before_the_last_transaction_is_damage(path: Path) -> None:
    change(path, HEADER + STEP * 9 + 1000, random.Random(1).randbytes(1000))
    assert examine(read(path), 0).damaged == [9]
    damage = mend(path)
    assert damage is not None
    assert damage.damaged == 1


def test_frames_that_a_newer_log_wrote_over_are_no_damage(path: Path) -> None:
    """The header of the newer log did not reach the disk: all of the older one is in the database already."""
    log = read(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM a").fetchone()
        connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        content = path.read_bytes()
    newer = (int.from_bytes(log.salts[:4], "big") + 1).to_bytes(4, "big") + b"\1\2\3\4"
    data = bytearray(log.data)
    for number in range(3):
        data[log.at(number) + 8 : log.at(number) + 16] = newer
    path.write_bytes(content)
    log_of(path).write_bytes(data)
    assert frames_lost(path) == 0
    assert mend(path) is None
    assert numbers(path) == list(range(ROWS))


def test_a_torn_transaction_over_frames_of_an_older_log_is_no_damage(path: Path) -> None:
    """Some of its sectors still hold headers of the older log, which end transactions of that one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM a").fetchone()
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        older = log_of(path).read_bytes()
        connection.execute("INSERT INTO a VALUES (100, ?)", ("100 " * 300,))
        connection.execute("UPDATE a SET text = text || ' '")
        database, torn = path.read_bytes(), bytearray(log_of(path).read_bytes())
    log_of(path).write_bytes(torn)
    log = read(path)
    last = log.last()
    begin = max(number + 1 for number in range(last - 1) if log.is_of_this_log(number) and log.ends_transaction(number))
    assert begin < last - 1, "the last transaction has several frames"
    for frame in range(begin, last - 1):
        at = log.at(frame)
        torn[at : at + 512] = older[at : at + 512]
    path.write_bytes(database)
    log_of(path).write_bytes(torn)
    assert frames_lost(path) == 0
    assert mend(path) is None
    assert numbers(path) == [*range(ROWS), 100]
