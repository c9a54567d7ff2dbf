"""Noise and size: what is kept is capped, totals stay exact, and others do not suffer."""

from __future__ import annotations

import random
import string
import subprocess
import sys
from collections import Counter

from log_aggregator_templates import OVERFLOW, TemplateMiner

from .learned import NAMES, Learner


def noise(count: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return [" ".join("".join(chance.choices(string.ascii_lowercase, k=7)) for _ in range(5)) for _ in range(count)]


def test_a_noisy_source_gets_the_overflow_pattern_and_its_total_is_exact() -> None:
    learner = Learner(max_templates=1000, max_per_source=100)
    lines = noise(2000)
    counts = Counter(learner.first_sight(lines, "noisy"))
    assert sum(counts.values()) == len(lines)
    assert counts[OVERFLOW] == len(lines) - 100 == learner.miner.overflowed
    assert learner.miner.book.count == 100


def test_other_sources_learn_on_beside_a_noisy_one() -> None:
    learner = Learner(max_templates=1000, max_per_source=100)
    learner.first_sight(noise(2000), "noisy")
    lines = [f"session opened for user {name} by root" for name in NAMES]
    first = learner.first_sight(lines, "quiet")
    assert {learner.final(text) for text in first} == {"session opened for user {VAR} by root"}
    assert set(learner.first_sight(lines, "noisy")) == {"session opened for user {VAR} by root"}


def test_the_cap_holds_whatever_comes_from_however_many_sources() -> None:
    learner = Learner(max_templates=200, max_per_source=50)
    for number in range(40):
        learner.first_sight(noise(300, number), f"source {number}")
        assert learner.miner.book.count <= 200
        assert len(learner.miner.recent) <= 400


def test_what_is_learned_outlives_the_noise_and_idle_lines_make_room() -> None:
    learner = Learner(max_templates=100, max_per_source=100)
    lines = [f"session opened for user {name} by root" for name in NAMES]
    learner.first_sight(lines, "good")
    learner.first_sight(noise(1000), "noisy")
    assert learner.first_sight(["session opened for user zoe by root"], "good") == [
        "session opened for user {VAR} by root"
    ]
    new = [learner.first_sight(["a line that never was before"], "good")[0]]
    for seed in range(10):
        learner.first_sight(noise(100, seed), "noisy")
        new += learner.first_sight(["a line that never was before"], "good")
    assert new[0] == OVERFLOW
    assert new[-1] == "a line that never was before"
    assert learner.first_sight(lines, "good") == ["session opened for user {VAR} by root"] * len(lines)


def test_a_forgotten_line_comes_back_under_its_old_text() -> None:
    learner = Learner(max_templates=50, max_per_source=50)
    before = learner.first_sight(["one rare line"])
    for seed in range(20):
        learner.first_sight(noise(50, seed), f"source {seed}")
    after = learner.first_sight(["one rare line"], "late")
    assert after[0] in (before[0], OVERFLOW)


def test_a_very_long_line_stays_as_it_is_and_is_not_kept() -> None:
    miner = TemplateMiner()
    line = "word " * 2000
    assert miner.template(line) == line
    assert miner.book.count == 0
    assert line not in miner.recent


MEASURE = """
import gc, random
from log_aggregator_templates import TemplateMiner
chance = random.Random(1)
words = ["".join(chance.choices("aeioubdfgklmnprst", k=chance.randint(3, 9))) for _ in range(4000)]
def line():
    kinds = [chance.choice(words) for _ in range(12)] + ["{ID}", "{IP}", "at={TIME}", "(" + chance.choice(words) + ")"]
    return " ".join(chance.choices(kinds, k=chance.randint(5, 14)))
lines = [line() for _ in range(11_000)]
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
miner = TemplateMiner(max_per_source=20_000)
gc.collect()
before = resident()
for each in lines:
    miner.template(each)
    if miner.book.count == 10_000:
        break
assert miner.book.count == 10_000, miner.book.count
print(resident() - before)
"""


def test_ten_thousand_templates_take_forty_megabytes_at_most() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 40 * 1024 * 1024
