"""A person's word wins over what was learned: by configuration and by HTTP, kept over restarts, told to all workers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from log_aggregator import pattern_id
from log_aggregator_dev.harness import Harness, harness
from log_aggregator_templates.correction_file import CorrectionFile
from log_aggregator_templates.corrections import Correction, Corrections, Wish
from log_aggregator_templates.why import sentences

from .learned import NAMES

PIPELINE = "[plugins.patterns]\n[plugins.templates]\n"
STORED = PIPELINE + "[plugins.sqlite]\n"
WIDE = "session opened for user {VAR} by root"
LINES = [f"session opened for user {name} by root" for name in NAMES]


async def shown(service: Harness) -> dict[str, int]:
    """The patterns that the store shows, with their counts."""
    await service.flush()
    return {row["pattern"]: row["count"] for row in (await service.get("/patterns?limit=200"))["patterns"]}


async def correct(service: Harness, pattern: str, kind: str, **body: Any) -> Any:
    answer = await service.request("POST", f"/patterns/{pattern_id(pattern)}/{kind}", json=body)
    assert answer.status == 201, answer
    return answer.body


@pytest.mark.parametrize(
    ("said", "line", "pattern"),
    [
        (Correction(kind="vary", pattern="start {VAR} - {VAR}"), "start a.b - x y z", "start {VAR} - {VAR}"),
        (Correction(kind="vary", pattern="start {VAR} - {VAR}"), "stop a.b - x y z", None),
        (Correction(kind="keep", pattern="unit {VAR} of {ID}"), "unit a of {ID}", "unit a of {ID}"),
        (
            Correction(kind="split", pattern="{VAR} did {VAR.2} to {VAR}", variables=("VAR.2",)),
            "ann did drop to t",
            None,
        ),
        (Correction(kind="split", pattern="{VAR} did {VAR}", variables=("VAR.2",)), "ann did drop", "{VAR} did drop"),
        (Correction(kind="keep", pattern="a {VAR}{STR} b"), "a x y b", "a x y b"),
        (
            Correction(kind="merge", pattern="disk {ID} full", into="no space on {ID}"),
            "disk {ID} full",
            "no space on {ID}",
        ),
        (Correction(kind="keep", pattern="disk full"), "disk full", "disk full"),
        (Correction(kind="keep", pattern="disk full"), "disk full now", None),
    ],
)
def test_the_pattern_of_a_line(said: Correction, line: str, pattern: str | None) -> None:
    assert said.pattern_of(line) == pattern


def test_what_was_said_last_wins_and_the_hand_wins_over_the_configuration() -> None:
    all_ = Corrections([], [Wish(pattern="job {VAR} ended")])
    assert (all_.find("job a ended", "x") or Correction(pattern="-")).kind == "vary"
    first = Correction(id="1", kind="keep", pattern="job {VAR} ended", sources=("web-*",))
    last = Correction(id="2", kind="merge", pattern="job {VAR} ended", into="over", sources=("web-1",))
    all_.use([first, last])
    found = [all_.find("job a ended", source) for source in ("web-1", "web-2", "db")]
    assert [one.kind for one in found if one] == ["merge", "keep", "vary"]
    all_.use([first, last.model_copy(update={"undone_at": 5})])
    assert all_.find("job a ended", "web-1") == first


def test_a_variable_that_the_pattern_lacks_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"'VAR\.3' is none of the pattern"):
        Wish(pattern="a {VAR} b {VAR}", variables=("VAR.3",))


async def test_the_configuration_keeps_and_varies_by_source(tmp_path: Path) -> None:
    keep = f'keep = [{{ pattern = "{WIDE}", sources = ["audit-*"] }}]\n'
    vary = 'vary = [{ pattern = "start {VAR} - {VAR}" }]\n'
    async with harness(PIPELINE + keep + vary, data_dir=tmp_path) as service:
        await service.post(*LINES, source="audit-1")
        await service.post("start a.b - the first one", "start c - another")
        assert await service.counts() == {**dict.fromkeys(LINES, 1), "start {VAR} - {VAR}": 2}
        await service.post(*LINES, source="web")
        assert (await service.counts())[WIDE] > 0


async def test_a_pattern_is_split_by_hand_and_stays_split_over_a_restart(tmp_path: Path) -> None:
    async with harness(STORED, data_dir=tmp_path) as service:
        await service.post(*LINES)
        assert await shown(service) == {WIDE: len(LINES)}
        said = await correct(service, WIDE, "split", by="ann")
        assert (said["by"], said["pattern"], said["kind"]) == ("ann", WIDE, "split")
        assert LINES[0] in await shown(service), "what was stored before it was learned is told apart at once"
        await service.post(*LINES)
        found = await shown(service)
        assert found.keys() >= set(LINES)
        assert sum(found.values()) == 2 * len(LINES)
    async with harness(STORED, data_dir=tmp_path) as service:
        await service.post(LINES[0])
        assert (await shown(service))[LINES[0]] == found[LINES[0]] + 1
        assert [one["id"] for one in (await service.get("/corrections"))["corrections"]] == [said["id"]]
        assert (await service.request("DELETE", f"/corrections/{said['id']}")).status == 204
        await service.post(*LINES)
        assert await shown(service) == {WIDE: 3 * len(LINES) + 1}
        [undone] = (await service.get("/corrections"))["corrections"]
        assert undone["undone_at"] > undone["at"]
        assert (await service.request("DELETE", f"/corrections/{said['id']}")).status == 404


async def test_two_patterns_are_merged_by_hand_and_taken_apart_again(tmp_path: Path) -> None:
    async with harness(STORED, data_dir=tmp_path) as service:
        await service.post("disk 5 is full", "no space on 7", "no space on 8")
        into = pattern_id("no space on {ID}")
        said = await correct(service, "disk {ID} is full", "merge", into=into)
        await service.post("disk 9 is full")
        assert await shown(service) == {"no space on {ID}": 4}
        await service.request("DELETE", f"/corrections/{said['id']}")
        await service.post("disk 9 is full")
        assert await shown(service) == {"disk {ID} is full": 2, "no space on {ID}": 3}


async def test_a_pattern_that_is_kept_is_never_generalized(tmp_path: Path) -> None:
    async with harness(STORED, data_dir=tmp_path) as service:
        await service.post(LINES[0])
        await correct(service, LINES[0], "keep")
        await service.post(*LINES)
        assert await shown(service) == {LINES[0]: 2, WIDE: len(LINES) - 1}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/patterns/{pattern_id('nobody')}/keep", {}, 404),
        (f"/patterns/{pattern_id('disk {ID} is full')}/merge", {}, 422),
        (f"/patterns/{pattern_id('disk {ID} is full')}/keep", {"into": "x"}, 422),
        (f"/patterns/{pattern_id('disk {ID} is full')}/split", {}, 422),
        (f"/patterns/{pattern_id('disk {ID} is full')}/keep", {"variables": ["VAR"]}, 422),
        (f"/patterns/{pattern_id('disk {ID} is full')}/keep", {"colour": 1}, 422),
    ],
    ids=["unknown", "into nothing", "into what", "nothing learned", "unknown variable", "unknown field"],
)
async def test_what_cannot_be_is_refused(path: str, body: dict[str, Any], status: int) -> None:
    async with harness(STORED) as service:
        await service.post("disk 5 is full")
        await service.flush()
        assert (await service.request("POST", path, json=body)).status == status
        assert await service.get("/corrections") == {"corrections": []}


def test_several_workers_share_the_file_and_lose_no_correction(tmp_path: Path) -> None:
    mine, theirs = CorrectionFile(tmp_path / "c.json"), CorrectionFile(tmp_path / "c.json")
    assert mine.news() is None
    for number in range(5):
        one = Correction(id=str(number), pattern="a {VAR}")
        (mine if number % 2 else theirs).change(lambda known, one=one: [*known, one])
    assert [one.id for one in mine.news() or ()] == list("01234")
    assert mine.news() is None
    (tmp_path / "c.json").write_text("nonsense")
    with pytest.raises(ValueError, match=r"c\.json"):
        mine.news()


async def test_a_worker_takes_over_what_another_was_told(tmp_path: Path) -> None:
    async with harness(PIPELINE, data_dir=tmp_path) as service:
        CorrectionFile(tmp_path / "corrections.json").change(lambda _: [Correction(kind="vary", pattern="go {VAR}")])
        async with asyncio.timeout(30):
            while not service.plugin("templates")._corrections.any:
                await asyncio.sleep(0.05)
        await service.post("go on")
        assert await service.counts() == {"go {VAR}": 1}


async def test_it_says_why_lines_are_one_pattern(tmp_path: Path) -> None:
    async with harness(STORED, data_dir=tmp_path) as service:
        await service.post(*LINES)
        await service.flush()
        path = f"/patterns/{pattern_id(WIDE)}/evidence"
        why = await service.get(path)
    assert (why["pattern"], why["said"]) == (WIDE, None)
    assert set(why["earlier"]) <= set(LINES)
    [place] = why["places"]
    assert (place["place"], place["held"]) == ("for user {VAR} by root", 6)
    assert place["seen"] >= place["needed"] == 3
    assert set(place["values"]) <= set(NAMES)
    async with harness(STORED, data_dir=tmp_path) as service:
        assert await service.get(path) == why
        await correct(service, WIDE, "split", by="ann")
        assert (await service.get(path))["said"]["by"] == "ann"
    for sentence in sentences(why):
        assert "different words where 3 are enough beside 6 constant ones" in sentence
