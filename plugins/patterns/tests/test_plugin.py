"""The plugin in the service: where rules come from, in which order, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from log_aggregator import ConfigError, Record, hookimpl
from log_aggregator_dev import run_stage
from log_aggregator_dev.harness import harness
from log_aggregator_patterns import Patterns, PatternsConfig, Rule
from log_aggregator_patterns.memo import PatternMemo


class Pack:
    """A rule pack as another package would publish it."""

    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid")

    given: ClassVar[list[Any]] = [{"name": "TICKET", "regex": r"[A-Z]{2,9}-\d{1,9}"}]

    def __init__(self, config: Config) -> None:
        pass

    @hookimpl
    def pattern_rules(self) -> list[Any]:
        return self.given


def masked(message: str, **options: Any) -> str:
    record = Record(message, "INFO", "web", 0, {})
    run_stage(Patterns(PatternsConfig(**options)), [record])
    return record.pattern


def test_a_rule_of_the_file_comes_before_the_builtin_ones() -> None:
    rules = [{"name": "ORDER", "regex": r"ORD-\d{8}"}]
    assert masked("paid ORD-12345678, 5 left", rules=rules) == "paid {ORDER}, {ID} left"


def test_a_rule_may_come_after_the_builtin_ones() -> None:
    rules = [{"name": "word", "regex": "[a-z]{4}", "placeholder": "<{WORD}>", "first": False}]
    assert masked("took 5 s", rules=rules) == "<{WORD}> {TIME} s"


def test_rule_files_come_after_the_rules_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[rules]]\nname = "B"\nregex = "abc"\n[[rules]]\nname = "C"\nregex = "xyz"\n')
    assert masked("abc xyz", rules=[{"name": "A", "regex": "abc"}], rule_files=[path]) == "{A} {C}"


@pytest.mark.parametrize(("packs", "times"), [({}, 1), ({"pack": Pack}, 2)], ids=["none", "one"])
async def test_rules_are_compiled_again_for_a_rule_pack_only(
    packs: dict[str, Any], times: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[PatternMemo] = []

    def counting(*arguments: Any) -> PatternMemo:
        made.append(PatternMemo(*arguments))
        return made[-1]

    monkeypatch.setattr("log_aggregator_patterns.plugin.PatternMemo", counting)
    pipeline = "[plugins.patterns]\n" + "".join(f"[plugins.{name}]\n" for name in packs)
    async with harness(pipeline, data_dir=tmp_path, given=packs):
        assert len(made) == times


def test_builtin_rules_can_be_left_out() -> None:
    assert masked("from 10.0.0.1:80", disable=["ipv4", "version", "number", "clock"]) != "from {IP}"
    assert masked("User 5", builtin=False) == "User 5"


def test_digits_that_stay_differ_between_messages_of_one_shape() -> None:
    plugin = Patterns(PatternsConfig(builtin=False, rules=[Rule(name="ORDER", regex=r"ORD-\d{1,9}")]))
    records = [Record(f"job {number} ORD-{number}", "INFO", "web", 0, {}) for number in (1, 2)]
    run_stage(plugin, records)
    assert [record.pattern for record in records] == ["job 1 {ORDER}", "job 2 {ORDER}"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"name": "a", "regex": "("}, "not a regular expression"),
        ({"name": "a", "regex": "x*"}, "matches the empty text"),
        ({"name": "a", "regex": "x", "placeholder": "nothing"}, "expected one name in braces"),
        ({"name": "a", "regex": "x", "gate": ["5"]}, "0 means any digit"),
        ({"name": "a b", "regex": "x"}, "pattern"),
        ({"name": "a", "regex": "x", "color": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_rule_is_refused_with_what_was_expected(rule: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        PatternsConfig(rules=[rule])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "No such file"),
        ("rules = 5", "rules: Input should be a valid list"),
        ("[[rules]]\nname = 'x'", "rule x: regex: Field required"),
        ("][", "not TOML"),
        ("[[rules]]\nname = 'x'\nregex = '(a+)+b'", "rule 'x' could hang the service: a repeat inside a repeat"),
        ("[[rules]]\nname = 'ipv4'\nregex = 'a'", "rule 'ipv4' is given twice"),
    ],
)
def test_a_wrong_rule_file_is_refused_by_name(tmp_path: Path, content: str | None, text: str) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=text):
        Patterns(PatternsConfig(rule_files=[path]))


def test_an_unknown_name_to_leave_out_is_refused() -> None:
    with pytest.raises(ConfigError, match="disable: 'ipv5' is no built-in rule"):
        Patterns(PatternsConfig(disable=["ipv5"]))


async def test_a_rule_pack_adds_to_the_one_rule_set(tmp_path: Path) -> None:
    file = "[plugins.patterns]\nrules = [{ name = 'A', regex = 'AB-1' }]\n[plugins.pack]\n"
    async with harness(file, given={"pack": Pack}, data_dir=tmp_path) as service:
        await service.post("see AB-1, AB-2 and 7")
        assert await service.counts() == {"see {A}, {TICKET} and {ID}": 1}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([{"name": "x", "regex": "("}], "rule pack 'pack': rule 0: regex: not a regular expression"),
        ([{"name": "x", "regex": "(a+)+b"}], "rule pack 'pack': rule 'x' could hang the service"),
        ([{"name": "uuid", "regex": "a"}], "rule 'uuid' is given twice"),
    ],
)
async def test_a_wrong_rule_pack_stops_the_start_and_is_named(given: list[Any], text: str, tmp_path: Path) -> None:
    pack = type("WrongPack", (Pack,), {"given": given})
    with pytest.raises(ConfigError, match=text):
        async with harness("[plugins.patterns]\n[plugins.pack]\n", given={"pack": pack}, data_dir=tmp_path):
            pass
