"""The options, their defaults, and the error messages for invalid values."""

from __future__ import annotations

from pathlib import Path

import pytest

from log_aggregator import ConfigError
from log_aggregator.config.pipeline import parse_plugins
from log_aggregator.plugins.registry import Registry
from log_aggregator_analytics import AnalyticsConfig


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANALYTICS_NODE_URL", "ANALYTICS_AUTHORIZATION", "ANALYTICS_SECRET"):
        monkeypatch.delenv(name, raising=False)


def load(options: str) -> Registry:
    return Registry(parse_plugins(f"[plugins.analytics]\n{options}"), {})


def test_the_environment_gives_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_NODE_URL", "http://analytics:8002/v1/")
    monkeypatch.setenv("ANALYTICS_AUTHORIZATION", "Bearer token")
    config = AnalyticsConfig()
    assert str(config.target) == "http://analytics:8002/v1/aggregates"
    assert config.authorization.get_secret_value() == "Bearer token"
    assert "token" not in repr(config)


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("http://a:1", "/x/y", "http://a:1/x/y"),
        ("http://a:1/in?tenant=7", "", "http://a:1/in?tenant=7"),
        ("https://a/in/?tenant=7", "/z", "https://a/in/z?tenant=7"),
    ],
)
def test_the_path_is_appended_to_that_of_the_url(url: str, path: str, target: str) -> None:
    assert str(AnalyticsConfig(url=url, path=path).target) == target


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", "url: not set; expected a URL such as http://analytics:8002: set it or ANALYTICS_NODE_URL"),
        ('url = "analytics:8002"', "expected a URL such as http://analytics:8002"),
        ('url = "http://a"\npath = "x"', "expected a path that begins with /"),
        (
            'url = "http://a"\nheaders = { "Idempotency-Key" = "x" }',
            "Idempotency-Key: reserved; the plugin sets this header",
        ),
        ('url = "http://a"\nheaders = { "X-A" = "b\\nc" }', "X-A: expected a value of one line"),
        ('url = "http://a"\nheaders = { "X:A" = "b" }', "not a valid header name"),
        ('url = "http://a"\nmax_request_bytes = 10', "max_request_bytes"),
        ('url = "http://a"\nca_file = "/no/such/file"', "ca_file /no/such/file: expected readable PEM certificates"),
        ('url = "http://a"\nurls = "http://b"', "did you mean 'url'"),
    ],
)
def test_an_invalid_option_is_a_config_error(options: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(options)
    assert "[plugins.analytics]" in str(caught.value)
    assert expected in str(caught.value)


def test_the_readme_lists_every_option() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text()
    assert [name for name in AnalyticsConfig.model_fields if f"`{name}`" not in text] == []
