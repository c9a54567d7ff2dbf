"""The options of `[plugins.analytics]`, and the environment variables that give their defaults."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from yarl import URL

MIB = 1024 * 1024

_OWN_HEADERS = frozenset(
    {"content-type", "content-encoding", "content-length", "host", "idempotency-key", "transfer-encoding"}
    | {"webhook-id", "webhook-timestamp", "webhook-signature"}
)


def _from_environment(name: str) -> str:
    return os.environ.get(name, "")


class AnalyticsConfig(BaseModel):
    """Options of `[plugins.analytics]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    url: str = Field(
        default_factory=lambda: _from_environment("ANALYTICS_NODE_URL"),
        description="URL of the analytics service. Default: ANALYTICS_NODE_URL",
    )
    path: str = Field("/aggregates", description="path appended to that of `url`; may be empty")
    headers: dict[str, str] = Field({}, description="headers of every request")
    authorization: SecretStr = Field(
        default_factory=lambda: SecretStr(_from_environment("ANALYTICS_AUTHORIZATION")),
        description="the Authorization header. Default: ANALYTICS_AUTHORIZATION",
    )
    secret: SecretStr = Field(
        default_factory=lambda: SecretStr(_from_environment("ANALYTICS_SECRET")),
        description="secret that signs requests; empty: unsigned. Default: ANALYTICS_SECRET",
    )
    gzip: bool = Field(True, description="compress the requests")
    max_request_bytes: int = Field(
        MIB, ge=16_384, le=64 * MIB, description="JSON bytes per request before compression; larger flushes are split"
    )
    timeout: float = Field(10.0, gt=0, le=300, description="seconds for one request and its response")
    connect_timeout: float = Field(
        5.0, gt=0, le=300, description="seconds for DNS lookup, connection and TLS handshake"
    )
    ca_file: Path | None = Field(None, description="certificates to trust instead of the system's")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if not url:
            raise ValueError("not set; expected a URL such as http://analytics:8002: set it or ANALYTICS_NODE_URL")
        try:
            parsed = URL(url)
        except ValueError:
            parsed = URL()
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise ValueError("expected a URL such as http://analytics:8002")
        return url

    @field_validator("path")
    @classmethod
    def _is_path(cls, path: str) -> str:
        if path and not path.startswith("/"):
            raise ValueError("expected a path that begins with /, or an empty text")
        return path

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"{name}: reserved; the plugin sets this header")
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"{name!r}: not a valid header name; expected ASCII letters, digits, - and _")
            if any(character in value for character in "\r\n\0"):
                raise ValueError(f"{name}: expected a value of one line")
        return headers

    @property
    def target(self) -> URL:
        """The URL of requests: `url` with `path` appended to its path and its query kept."""
        url = URL(self.url)
        return url.with_path(url.path.rstrip("/") + self.path, keep_query=True) if self.path else url
