"""The options of `[plugins.upstream]` and `[plugins.edges]`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from yarl import URL

MIB = 1024 * 1024


class UpstreamConfig(BaseModel):
    """Options of `[plugins.upstream]`: where aggregates go, and how long they gather before."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    url: str = Field("", description="address of the other log-aggregator, such as https://hub.example.org:8004")
    key: SecretStr = Field(SecretStr(""), description="API key there, of the scope ingest")
    window: float = Field(
        300.0, ge=0, le=86_400, description="seconds for which aggregates gather before they are sent"
    )
    max_groups: int = Field(
        50_000, ge=100, le=1_000_000, description="groups that gather at most; beyond, flushes wait in the journal"
    )
    max_request_bytes: int = Field(
        4 * MIB, ge=65_536, le=64 * MIB, description="size of one request before compression; more are split"
    )
    timeout: float = Field(30.0, gt=0, le=300, description="seconds for one request and its response")
    connect_timeout: float = Field(
        5.0, gt=0, le=300, description="seconds for DNS lookup, connection and TLS handshake"
    )
    ca_file: Path | None = Field(None, description="certificates to trust instead of the system's")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        expected = "expected the address of a log-aggregator, such as https://hub.example.org:8004"
        if not url:
            raise ValueError(f"not set; {expected}")
        try:
            parsed = URL(url)
        except ValueError:
            parsed = URL()
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query_string or parsed.fragment:
            raise ValueError(expected)
        if parsed.user or parsed.password:
            raise ValueError("expected no user or password in it; set `key`")
        return url

    @field_validator("key")
    @classmethod
    def _is_one_line(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text.isascii() or any(character.isspace() or not character.isprintable() for character in text):
            raise ValueError("expected the text of an API key, without spaces")
        return key

    @property
    def target(self) -> URL:
        """Where aggregates are sent."""
        url = URL(self.url)
        return url.with_path(url.path.rstrip("/") + "/aggregates")


class EdgesConfig(BaseModel):
    """Options of `[plugins.edges]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accept: bool = Field(False, description="true: take in what other services send to POST /aggregates")
    max_groups: int = Field(20_000, ge=1, le=1_000_000, description="groups of one request")
