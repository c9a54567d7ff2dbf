"""API keys: how they are made, kept as hashes in a TOML file, and compared.

A key reads `la.<name>.<secret>`. The secret has 256 random bits, so a plain SHA-256 of it cannot be turned
back; slow password hashes exist for secrets that people choose.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from log_aggregator.config.complaints import complaint
from log_aggregator.config.settings import nearest
from log_aggregator.errors import ConfigError

Scope = Literal["ingest", "read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("ingest", "read", "write", "admin")

_NAME = r"[A-Za-z0-9_-]{1,64}"
_NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


class ApiKey(BaseModel):
    """One key: what it may do, and for which sources. `admin` may do everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    scopes: list[Scope] = Field(["ingest"], min_length=1)
    sources: list[str] = Field(
        [], description="the sources it may send and read; `shop-*` means all that begin so; empty: any"
    )
    created: datetime | None = None
    expires: datetime | None = Field(None, description="from then on it is refused")
    rate: float | None = Field(None, gt=0, description="logs a second; a call that sends none counts as one")
    quota: int | None = Field(None, ge=1, description="logs a day (UTC)")
    name: str = Field("", exclude=True, description="the name of its table")

    def may(self, scope: Scope) -> bool:
        """Whether the key opens this scope."""
        return scope in self.scopes or "admin" in self.scopes

    def is_expired(self) -> bool:
        """Whether its time is over. A time without a zone is UTC."""
        if self.expires is None:
            return False
        expires = self.expires if self.expires.tzinfo else self.expires.replace(tzinfo=UTC)
        return datetime.now(UTC) >= expires

    def covers(self, source: str) -> bool:
        """Whether the key may send logs of this source, and read what is known of it."""
        return not self.sources or any(_matches(source, allowed) for allowed in self.sources)

    @property
    def only_source(self) -> str | None:
        """The source of logs that name none, when the key leaves no choice."""
        return self.sources[0] if len(self.sources) == 1 and not self.sources[0].endswith("*") else None


class KeyRing:
    """The keys of one file."""

    def __init__(self, keys: dict[str, ApiKey]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[ApiKey]:
        return iter(self._keys.values())

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    @classmethod
    def read(cls, path: Path) -> KeyRing:
        """Read a file of `[keys.<name>]` tables. Raises `ConfigError`."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"API_KEYS_FILE {path}: cannot be read: {error}") from None
        for table in document:
            if table != "keys":
                raise ConfigError(f"{path} {table}: unknown table; expected [keys.<name>]{nearest(table, ['keys'])}")
        return cls({name: _key(path, name, table) for name, table in document.get("keys", {}).items()})

    def find(self, token: str) -> ApiKey | None:
        """The key that a token is, or `None`. Takes as long for a wrong secret as for an unknown name."""
        _, _, rest = token.partition("la.")
        key = self._keys.get(rest.partition(".")[0])
        expected = key.hash.removeprefix("sha256:") if key else _NOBODY
        matches = hmac.compare_digest(_hash(token), expected)
        return key if matches else None

    def name_in(self, token: str) -> str:
        """The name that a refused token claims, where a key has it; else empty, for it may be any secret."""
        name = token.removeprefix("la.").partition(".")[0]
        return name if name in self._keys else ""


class Limits(NamedTuple):
    """What else is asked of a new key; `None`: no limit."""

    expires: datetime | None = None
    rate: float | None = None
    quota: int | None = None


UNLIMITED = Limits()


def new_key(
    name: str, scopes: Sequence[str] = ("ingest",), sources: Sequence[str] = (), limits: Limits = UNLIMITED
) -> tuple[str, str]:
    """Make a key: (the token, which is shown once and kept nowhere; the TOML table that belongs in the file).

    Raises `ConfigError` for a name or scope that cannot be.
    """
    if not re.fullmatch(_NAME, name):
        raise ConfigError(f"key name {name!r}: expected 1 to 64 letters, digits, '-' or '_'")
    for scope in scopes:
        if scope not in SCOPES:
            raise ConfigError(f"scope {scope!r}: expected one of {', '.join(SCOPES)}{nearest(scope, list(SCOPES))}")
    if limits.rate is not None and limits.rate <= 0:
        raise ConfigError(f"rate {limits.rate:g}: expected a number greater than 0")
    if limits.quota is not None and limits.quota < 1:
        raise ConfigError(f"quota {limits.quota}: expected a whole number of at least 1")
    token = f"la.{name}.{secrets.token_urlsafe(32)}"
    lines = [
        f"[keys.{name}]",
        f'hash = "sha256:{_hash(token)}"',
        f"scopes = {json.dumps(list(scopes) or ['ingest'])}",
        *([f"sources = {json.dumps(list(sources), ensure_ascii=False)}"] if sources else []),
        f"created = {_toml(datetime.now(UTC))}",
        *([f"expires = {_toml(limits.expires)}"] if limits.expires else []),
        *([f"rate = {limits.rate:g}"] if limits.rate else []),
        *([f"quota = {limits.quota}"] if limits.quota else []),
    ]
    return token, "\n".join(lines) + "\n"


def add_key(
    path: Path,
    name: str,
    scopes: Sequence[str] = ("ingest",),
    sources: Sequence[str] = (),
    limits: Limits = UNLIMITED,
) -> str:
    """Make a key, append it to the file (made with mode 600 when it is not there) and return the token.

    For `log-aggregator keys new`. The service reads the file when it starts. Raises `ConfigError` when the
    name is taken or the file cannot be read or written.
    """
    if path.exists() and name in KeyRing.read(path):
        raise ConfigError(f"{path} [keys.{name}]: this name is taken; choose another, or delete that table first")
    token, table = new_key(name, scopes, sources, limits)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(("\n" if file.tell() else "") + table)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
    return token


def _key(path: Path, name: str, table: object) -> ApiKey:
    where = f"{path} [keys.{name}]"
    if not re.fullmatch(_NAME, name):
        raise ConfigError(f"{where}: expected a name of 1 to 64 letters, digits, '-' or '_'")
    fields = {field: info for field, info in ApiKey.model_fields.items() if field != "name"}
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table with {', '.join(fields)}")
    for field in table:
        if field not in fields:
            raise ConfigError(f"{where} {field}: unknown key{nearest(field, list(fields))}")
    try:
        return ApiKey.model_validate({**table, "name": name})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(f"{where} {field}: {complaint(problem, fields)}") from None


def _toml(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _matches(source: str, allowed: str) -> bool:
    return source.startswith(allowed[:-1]) if allowed.endswith("*") else source == allowed
