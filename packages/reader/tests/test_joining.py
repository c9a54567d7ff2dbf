"""Which lines belong together, on the traces of nine languages and on what only looks like one."""

from __future__ import annotations

import pytest

from log_aggregator_reader.joining import MOST_LINES, Joiner
from log_aggregator_reader.lines import LineSplitter
from packages.reader.tests.traces import ONE_RECORD, SEPARATE


def records(text: str | bytes, *, is_on: bool = True) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    splitter, joiner = LineSplitter(), Joiner(is_on=is_on)
    found = [joiner.push(line) for line in splitter.feed(data if data.endswith(b"\n") else data + b"\n")]
    found.append(joiner.flush())
    return [record.text.decode() for record in found if record]


def without_blank(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ONE_RECORD)
def test_a_trace_is_one_record_between_two_others(name: str, end: str) -> None:
    text = ONE_RECORD[name]
    found = records(f"before\n{text}\nafter".replace("\n", end))
    if name.startswith(("indented", "php", "ruby", "rails")):
        assert without_blank(found[1]) == without_blank(text)
    assert [without_blank(one) for one in found] == [["before"], without_blank(text), ["after"]]


@pytest.mark.parametrize("name", SEPARATE)
def test_what_does_not_belong_together_stays_apart(name: str) -> None:
    text = SEPARATE[name]
    wanted = text.split("\0") if "\0" in text else [line for line in text.split("\n") if line]
    assert records(text.replace("\0", "\n")) == wanted


def test_every_line_alone_when_it_is_off() -> None:
    text = ONE_RECORD["java"]
    assert records(text, is_on=False) == text.split("\n")


def test_blank_lines_are_no_records_and_do_not_end_a_trace() -> None:
    assert records("\n\n  \none\n\n\ntwo\n\n") == ["one", "two"]
    (only,) = records(ONE_RECORD["python chained"])
    assert "ValueError: invalid literal\n\nDuring" in only


def test_bytes_and_numbers_of_records_add_up() -> None:
    text = b"one\n\n" + ONE_RECORD["go panic"].encode() + b"\ntwo\n"
    splitter, joiner = LineSplitter(start=100), Joiner()
    found = [record for line in splitter.feed(text) if (record := joiner.push(line))]
    assert joiner.open_since == 100 + len(text) - 4
    last = joiner.flush()
    assert last is not None
    assert last.end == 100 + len(text)
    assert [record.number for record in found] + [last.number] == [1, 3, 13]
    for record in found:
        assert text[record.start - 100 : record.end - 100].rstrip(b"\n") == record.text


def test_an_endless_record_is_cut_into_several_and_no_line_is_lost() -> None:
    text = "head\n" + "  more\n" * (3 * MOST_LINES)
    found = records(text)
    assert len(found) == 4
    assert "\n".join(found) + "\n" == text
