"""The environment variables of the core: their names, defaults, ranges and what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from log_aggregator.config.complaints import complaint
from log_aggregator.errors import ConfigError

MIB = 1024 * 1024

_LONG_ENOUGH, _ALMOST = 7, 0.92
"""From how many letters on, and how much, a variable must resemble a setting to be taken for a misspelled one."""


class Settings(BaseModel):
    """Everything the core reads from the environment. The variable's name is the field's, upper-case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8004, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    data_dir: Path = Field(Path("data"), description="directory of the journal and the embedded store")
    plugins_file: Path = Field(Path("plugins.toml"), description="file that names the plugins")
    workers: str = Field("1", description="number of processes on one port; auto: one per core")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="level of the service's own log: DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="format of the service's own log: console or json"
    )

    aggregation_window: float = Field(30.0, gt=0, le=3600, description="seconds after which a flush is sealed")
    aggregation_bucket: int = Field(300, ge=1, le=86400, description="seconds that one stored row covers")
    batch_size: int = Field(10, ge=1, description="logs after which a flush is sealed at low rates")
    max_groups: int = Field(50_000, ge=10, description="groups in memory at which a flush is sealed")
    max_buffer_bytes: int = Field(64 * MIB, ge=MIB, description="bytes of text in memory at which a flush is sealed")
    max_samples: int = Field(5, ge=1, le=100, description="original messages kept per group")
    group_by: str = Field("", description="metadata keys to group by, separated by commas")
    durability: Literal["journal", "memory"] = Field(
        "journal", description="journal: on disk before the answer; memory: lost in a crash"
    )
    journal_max_bytes: int = Field(
        1024 * MIB, ge=MIB, description="size of the journal on disk at which logs are refused with 503"
    )
    queue_max_records: int = Field(200_000, ge=1000, description="acknowledged logs waiting to be aggregated")
    idempotency_keys: int = Field(100_000, ge=0, description="number of stored Idempotency-Key values")
    shutdown_timeout: float = Field(15.0, gt=0, le=600, description="seconds to drain on SIGTERM")
    sink_timeout: float = Field(60.0, gt=0, description="timeout of a sink for one flush in seconds")

    max_body_bytes: int = Field(16 * MIB, ge=1024, description="maximum size of a request body as sent")
    max_decompressed_bytes: int = Field(64 * MIB, ge=1024, description="maximum size of a body after decompression")
    max_compression_ratio: int = Field(200, ge=2, description="maximum of decompressed size divided by sent size")
    max_batch_records: int = Field(50_000, ge=1, description="maximum number of logs in a batch")
    max_message_length: int = Field(
        16_384, ge=64, description="maximum characters of a message; longer ones are cut with a mark"
    )
    max_metadata_keys: int = Field(64, ge=0, description="maximum number of metadata keys of a log")
    max_metadata_depth: int = Field(6, ge=1, le=50, description="maximum nesting of a log's metadata")
    max_metadata_bytes: int = Field(16_384, ge=64, description="maximum size of a log's metadata as JSON")
    body_timeout: float = Field(30.0, gt=0, description="timeout to receive a body in seconds")
    body_min_rate: int = Field(1024, ge=0, description="minimum bytes per second of a body after 5 s")
    max_connections: int = Field(1000, ge=1, description="maximum number of open connections")
    max_connections_client: int = Field(
        250, ge=1, description="maximum number of open connections of one client address; trusted proxies are exempt"
    )
    rate_limit_client: float = Field(0.0, ge=0, description="logs per second for one client address; 0: no limit")
    rate_limit_source: float = Field(0.0, ge=0, description="logs per second for one source; 0: no limit")
    rate_limit_burst: float = Field(10.0, ge=1, description="seconds of a rate limit that may be used at once")
    api_keys_file: Path | None = Field(None, description="TOML file of hashed API keys; none: no keys are required")
    allow_anonymous: bool = Field(
        False, description="1: serve everyone who reaches a public address, without API keys or client certificates"
    )
    tls_cert: Path | None = Field(None, description="PEM file of the server's certificate and its chain; turns TLS on")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's key; none: it is in TLS_CERT")
    tls_client_ca: Path | None = Field(None, description="PEM file of the CAs whose client certificates are required")
    allowed_hosts: str = Field(
        "", description="accepted Host headers, separated by commas; empty: any, on loopback without keys only its own"
    )
    allowed_origins: str = Field(
        "", description="pages of other sites that may use the service, such as https://app.example.org, by commas"
    )
    trusted_proxies: str = Field("", description="proxies whose X-Forwarded-For is trusted, separated by commas")

    @field_validator("log_level", mode="before")
    @classmethod
    def _folded(cls, level: Any) -> Any:
        """`info` and `WARN` are what many other programs call them."""
        name = str(level).strip().upper()
        return {"WARN": "WARNING", "ERR": "ERROR"}.get(name, name)

    @field_validator("log_format", "durability", mode="before")
    @classmethod
    def _lower(cls, word: Any) -> Any:
        return str(word).strip().lower()

    @field_validator("workers")
    @classmethod
    def _is_count(cls, workers: str) -> str:
        if not re.fullmatch(r"auto|[1-9]\d{0,2}", workers):
            raise ValueError("expected auto, or a number from 1 to 999")
        return workers


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; an empty variable counts as not set.

    Raises `ConfigError` that names each wrong variable and what it expects.
    """
    given = {name: environ[name.upper()] for name in Settings.model_fields if environ.get(name.upper())}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigError("\n".join(map(_complaint, error.errors()))) from None


def described() -> Iterator[tuple[str, str, str]]:
    """Every variable: (name, default, what it means)."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else _shown(field.default)
        mebibytes = f"; {field.default // MIB} MiB" if name.endswith("_bytes") and field.default % MIB == 0 else ""
        yield name.upper(), default, f"{field.description}{mebibytes}"


def _shown(default: Any) -> str:
    return str(int(default)) if isinstance(default, bool) else str(default).removesuffix(".0")


def near_misses(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that are no settings but are spelled almost like one: (what is set, what may be meant)."""
    import difflib  # noqa: PLC0415  not kept in memory by a service that never needs it

    known = {name.upper().replace("_", ""): name.upper() for name in Settings.model_fields}
    for name in sorted(environ.keys() - set(known.values())):
        if len(name) >= _LONG_ENOUGH:
            close = difflib.get_close_matches(name.replace("_", ""), known, n=1, cutoff=_ALMOST)
            yield from ((name, known[one]) for one in close)


def _complaint(error: Any) -> str:
    said = complaint(error, Settings.model_fields)
    return f"environment {str(error['loc'][0]).upper()}: {error['input']!r}: {said}"


def nearest(name: str, known: list[str]) -> str:
    """A `; did you mean 'x'?` for error messages, or an empty string."""
    import difflib  # noqa: PLC0415  likewise

    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
