"""`[[tests]]` are read with the file, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator import ConfigError
from log_aggregator.config.pipeline import parse_plugins, read_tests


def test_tests_are_read_in_order(tmp_path: Path) -> None:
    file = tmp_path / "plugins.toml"
    file.write_text('[[tests]]\nmessage = "a"\npattern = "b"\n[[tests]]\nlog = {msg = "c"}\ndropped = "sampler"\n')
    (first, second) = read_tests(file)
    assert (first[0], first[1].expected) == ("plugins.toml [[tests]] 1", {"pattern": "b"})
    assert (second[0], second[1].expected) == ("plugins.toml [[tests]] 2", {"dropped": "sampler"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[tests]]\nmesage = "a"\npattern = "b"', r"\[\[tests\]\] 1 mesage: unknown key; did you mean 'message'\?"),
        ('[[tests]]\nmessage = "a"', r"\[\[tests\]\] 1: expects nothing; expected one of pattern, level"),
        ('[[tests]]\npattern = "a"', r"\[\[tests\]\] 1: expected a log: either message or log"),
        ('[[tests]]\nmessage = "a"\nlevel = 3', r"level: expected a text; found a whole number"),
        ('tests = "x"', r"tests: expected tables \[\[tests\]\]"),
        ('[[test]]\nmessage = "x"', r"test: unknown table; .*did you mean 'tests'\?"),
    ],
)
def test_a_wrong_test_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_plugins(text)
