"""What can be set in `[plugins.postgres]`, and which environment variables give the defaults."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


_VERIFYING = ("verify-ca", "verify-full")
_ROOT_CERT = Path.home() / ".postgresql" / "root.crt"
"""Where libpq and asyncpg look for the CA when none is named."""


def _text(name: str, default: str) -> Callable[[], str]:
    return lambda: os.environ.get(name) or default


def _sslmode() -> SslMode:
    # Checked by pydantic, as every default here is.
    return cast("SslMode", os.environ.get("POSTGRES_SSLMODE") or "prefer")


def _number(name: str, default: int) -> Callable[[], int]:
    return lambda: int(os.environ.get(name) or default)


def _path(name: str) -> Callable[[], Path | None]:
    return lambda: Path(os.environ[name]) if os.environ.get(name) else None


def _secret(name: str) -> Callable[[], SecretStr | None]:
    return lambda: SecretStr(os.environ[name]) if os.environ.get(name) else None


class PostgresConfig(BaseModel):
    """Where PostgreSQL is, how patient to be with it, and how long rows live."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)

    dsn: SecretStr | None = Field(
        None, description="postgresql://user:password@host:port/database, instead of the parts"
    )
    host: str = Field(
        default_factory=_text("POSTGRES_HOST", "localhost"), description="POSTGRES_HOST; several by commas"
    )
    port: int = Field(default_factory=_number("POSTGRES_PORT", 5432), ge=1, le=65535, description="POSTGRES_PORT")
    database: str = Field(default_factory=_text("POSTGRES_DB", "postgres"), description="POSTGRES_DB")
    user: str = Field(default_factory=_text("POSTGRES_USER", "postgres"), description="POSTGRES_USER")
    password: SecretStr | None = Field(default_factory=_secret("POSTGRES_PASSWORD"), description="POSTGRES_PASSWORD")
    password_file: Path | None = Field(
        default_factory=_path("POSTGRES_PASSWORD_FILE"),
        description="POSTGRES_PASSWORD_FILE; read anew for every connection, so a password can change",
    )
    sslmode: SslMode = Field(
        default_factory=_sslmode,
        description="POSTGRES_SSLMODE",
    )
    sslrootcert: Path | None = Field(
        default_factory=_path("POSTGRES_SSLROOTCERT"), description="POSTGRES_SSLROOTCERT: file of the CA"
    )
    sslcert: Path | None = Field(default_factory=_path("POSTGRES_SSLCERT"), description="POSTGRES_SSLCERT: our own")
    sslkey: Path | None = Field(default_factory=_path("POSTGRES_SSLKEY"), description="POSTGRES_SSLKEY: its key")

    pool_min: int = Field(2, ge=0, le=100, description="connections kept open")
    pool_max: int = Field(10, ge=2, le=100, description="connections at most; readers leave two of them free")
    prepared_statements: bool = Field(True, description="false behind PgBouncer before 1.21 in transaction mode")
    connect_timeout: float = Field(10.0, gt=0, description="seconds to connect")
    acquire_timeout: float = Field(10.0, gt=0, description="seconds to wait for a connection of the pool")
    command_timeout: float = Field(30.0, gt=0, description="seconds to wait for an answer")
    statement_timeout: float = Field(25.0, gt=0, description="seconds after which the server ends a statement")
    lock_timeout: float = Field(10.0, gt=0, description="seconds that a statement waits for a lock")

    retention_days: int = Field(
        default_factory=_number("RETENTION_DAYS", 0),
        ge=0,
        description="RETENTION_DAYS: rows last seen longer ago are deleted; 0: never",
    )
    rollup_days: int = Field(
        default_factory=_number("ROLLUP_DAYS", 7),
        ge=0,
        description="ROLLUP_DAYS: buckets older than this become one row an hour; 0: never",
    )
    details_hours: int = Field(
        default_factory=_number("DETAILS_HOURS", 48),
        ge=0,
        description="DETAILS_HOURS: metadata, variables and samples of rows older than this are kept once an hour, of "
        "rare patterns once a day; 0: in each row",
    )
    maintenance_seconds: float = Field(600.0, gt=0, description="pause between two looks for old rows")
    silent_minutes: int = Field(
        15,
        ge=0,
        description="an instance that shares the database and is not heard for so long is told; 0: never",
    )
    remembered_bytes: int = Field(
        8 * 1024 * 1024, ge=0, description="memory for rows written last, so that hot rows are not read back"
    )

    @model_validator(mode="after")
    def _sane(self) -> PostgresConfig:
        if self.pool_min > self.pool_max:
            raise ValueError(f"pool_min {self.pool_min} is greater than pool_max {self.pool_max}")
        if self.sslrootcert is not None and not self.sslrootcert.is_file():
            raise ValueError(f"sslrootcert {self.sslrootcert}: no such file")
        mode, rootcert = self._verification()
        if mode in _VERIFYING and not rootcert and not _ROOT_CERT.is_file():
            raise ValueError(
                f"sslmode {mode}: needs the certificate of the server's CA; set POSTGRES_SSLROOTCERT "
                f"(sslrootcert) to its file, or put it at {_ROOT_CERT}"
            )
        return self

    def _verification(self) -> tuple[str, str]:
        """The sslmode and the root certificate that a connection will use."""
        if self.dsn is None:
            return self.sslmode, str(self.sslrootcert or os.environ.get("PGSSLROOTCERT", ""))
        given = dict(parse_qsl(urlsplit(self.dsn.get_secret_value()).query))
        mode = given.get("sslmode") or os.environ.get("PGSSLMODE", "")
        return mode, given.get("sslrootcert") or os.environ.get("PGSSLROOTCERT", "")

    def connect_arguments(self) -> dict[str, Any]:
        """What `asyncpg` connects with. The password is in here: never log it."""
        shared: dict[str, Any] = {
            "timeout": self.connect_timeout,
            "command_timeout": self.command_timeout,
            "statement_cache_size": 100 if self.prepared_statements else 0,
            "server_settings": {"application_name": "log-aggregator"},
        }
        if self.dsn is not None:
            return {"dsn": self.dsn.get_secret_value(), **shared}
        hosts = [host.strip() for host in self.host.split(",")]
        return {
            "dsn": f"postgresql://?{self._ssl_query()}",
            "host": hosts if len(hosts) > 1 else hosts[0],
            "port": [self.port] * len(hosts) if len(hosts) > 1 else self.port,
            "database": self.database,
            "user": self.user,
            "password": self._password(),
            "target_session_attrs": "read-write" if len(hosts) > 1 else "any",
            **shared,
        }

    def _ssl_query(self) -> str:
        files = {"sslrootcert": self.sslrootcert, "sslcert": self.sslcert, "sslkey": self.sslkey}
        given = {name: str(path) for name, path in files.items() if path is not None}
        return "&".join(f"{name}={quote(value)}" for name, value in {"sslmode": self.sslmode, **given}.items())

    def _password(self) -> str | Callable[[], str] | None:
        path = self.password_file
        if path is not None:
            return lambda: path.read_text().strip()
        return None if self.password is None else self.password.get_secret_value()
