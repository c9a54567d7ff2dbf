"""`plugins.toml` and the environment: what is wrong is said with place, thing and expectation."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator import ConfigError
from log_aggregator.config.pipeline import parse_plugins, read_plugins_file
from log_aggregator.config.settings import load_settings, near_misses


def test_the_order_is_the_files_order() -> None:
    entries = parse_plugins("[plugins.zebra]\n[plugins.ape]\n[plugins.middle]\n")
    assert [entry.name for entry in entries] == ["zebra", "ape", "middle"]


def test_host_keys_are_kept_from_the_plugins_own_options() -> None:
    (entry,) = parse_plugins('[plugins.postgres]\nwhen = "POSTGRES_HOST"\nrequired = false\ndsn = "x"\n')
    assert (entry.when, entry.required, entry.options) == ("POSTGRES_HOST", False, {"dsn": "x"})


@pytest.mark.parametrize(
    ("table", "environ", "reason"),
    [
        ("enabled = false", {}, "enabled = false"),
        ('when = "DB"', {}, "DB is not set"),
        ('when = "DB"', {"DB": ""}, "DB is not set"),
        ('when = "DB"', {"DB": "x"}, None),
        ('unless = "DB"', {"DB": "x"}, "DB is set"),
        ('unless = "DB"', {}, None),
    ],
)
def test_why_a_plugin_is_off(table: str, environ: dict[str, str], reason: str | None) -> None:
    (entry,) = parse_plugins(f"[plugins.x]\n{table}\n")
    assert entry.why_off(environ) == reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[plugins.x\n", "plugins.toml: not valid TOML"),
        (
            "[plugin.x]\n",
            "expected [plugins.<name>], [journal], [fields], [[rules]] or [[tests]]; did you mean 'plugins'?",
        ),
        ("[plugins]\nx = 1\n", "plugins.toml [plugins.x]: expected a table, found 1"),
        (
            '[plugins.x]\nenabled = "perhaps"\n',
            'plugins.toml [plugins.x] enabled: expected true or false; found "perhaps"',
        ),
    ],
)
def test_a_wrong_file_is_one_clear_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_plugins(text)
    assert said in str(caught.value)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file.*log-aggregator config --write"):
        read_plugins_file(tmp_path / "none.toml")


def test_settings_come_from_the_environment_and_empty_means_default() -> None:
    settings = load_settings({"BATCH_SIZE": "25", "AGGREGATION_WINDOW": "", "UNRELATED": "x"})
    assert (settings.batch_size, settings.aggregation_window, settings.port) == (25, 30.0, 8004)


def test_every_wrong_setting_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"BATCH_SIZE": "many", "PORT": "70000"})
    lines = str(caught.value).splitlines()
    assert any(line.startswith("environment BATCH_SIZE: 'many'") for line in lines)
    assert any(line.startswith("environment PORT: '70000'") for line in lines)


def test_words_are_taken_as_people_write_them() -> None:
    settings = load_settings({"LOG_LEVEL": "warn", "LOG_FORMAT": "JSON", "DURABILITY": "Memory", "WORKERS": "auto"})
    assert (settings.log_level, settings.log_format, settings.durability) == ("WARNING", "json", "memory")
    assert load_settings({"LOG_LEVEL": "info"}).log_level == "INFO"


@pytest.mark.parametrize("workers", ["0", "two", "-1", "1000", "1.5"])
def test_a_wrong_count_of_workers_says_what_is_expected(workers: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"WORKERS": workers})
    assert str(caught.value) == f"environment WORKERS: '{workers}': expected auto, or a number from 1 to 999"


def test_a_variable_that_is_almost_a_setting_is_noticed() -> None:
    environ = {"BATCHSIZE": "5", "MAX_BODY_BYTE": "1", "AGREGATION_WINDOW": "1", "BATCH_SIZE": "5"}
    assert dict(near_misses(environ)) == {
        "BATCHSIZE": "BATCH_SIZE",
        "MAX_BODY_BYTE": "MAX_BODY_BYTES",
        "AGREGATION_WINDOW": "AGGREGATION_WINDOW",
    }
    others = "PATH HOME HOSTNAME LANG USER PWD SHELL TERM PORTS POSTGRES_HOST POSTGRES_PORT ANALYTICS_NODE_URL"
    assert not list(near_misses(dict.fromkeys(others.split(), "x")))
