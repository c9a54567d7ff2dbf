"""The options of `[journal]` in plugins.toml."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MIB = 1024 * 1024


class JetstreamConfig(BaseModel):
    """Options of the journal in JetStream."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: tuple[str, ...] = Field(min_length=1, description="clients' addresses, such as nats://192.0.2.10:4222")
    monitors: tuple[str, ...] = Field(
        (), description="monitoring addresses, such as http://192.0.2.10:8222: `sync_interval: always` is proved there"
    )
    name: str = Field("logs", description="name of the log; services with the same one are one service")
    member: str = Field(
        default_factory=socket.gethostname,
        validate_default=True,
        description="name of this machine, for ever; by default its host name",
    )
    partitions: int = Field(6, ge=1, le=256, description="parts of the log; the same on every machine")
    replicas: int = Field(3, description="machines that hold each log: 3, 5, or 1 to try it out")
    window: int = Field(600, ge=5, le=86_400, description="seconds for which a key is known and stored logs are kept")
    roles: tuple[Literal["intake", "aggregate", "cluster"], ...] = Field(
        ("intake", "aggregate"),
        min_length=1,
        description="what this member does: takes logs in, aggregates, has the plugins that run once in the cluster",
    )
    max_bytes: int = Field(1024 * MIB, ge=MIB, description="bytes of one partition at which logs are refused with 503")
    patience: float = Field(10.0, ge=1, le=60, description="seconds for which a write is repeated before it fails")
    username: str | None = Field(None, description="name at the servers")
    password: str | None = Field(None, description="password at the servers; { env = 'NATS_PASSWORD' } keeps it out")
    token: str | None = Field(None, description="token at the servers, in place of a name and a password")
    credentials: Path | None = Field(None, description="file of NATS credentials, in place of a name and a password")
    tls_ca: Path | None = Field(None, description="PEM file of the CAs that sign the servers' certificates")
    tls_cert: Path | None = Field(None, description="PEM file of this client's certificate")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's key")

    @field_validator("servers")
    @classmethod
    def _are_servers(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for url in servers:
            if urlsplit(url).scheme not in ("nats", "tls") or not urlsplit(url).hostname:
                raise ValueError("expected addresses such as nats://192.0.2.10:4222, or tls://")
            if urlsplit(url).username or urlsplit(url).password:
                raise ValueError("expected no name and password in an address; use username and password")
        return servers

    @field_validator("monitors")
    @classmethod
    def _are_monitors(cls, monitors: tuple[str, ...]) -> tuple[str, ...]:
        if any(urlsplit(url).scheme not in ("http", "https") for url in monitors):
            raise ValueError("expected addresses such as http://192.0.2.10:8222")
        return monitors

    @field_validator("name", "member")
    @classmethod
    def _is_name(cls, name: str) -> str:
        name = name.replace(".", "-")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            raise ValueError("expected letters, digits, - and _")
        return name

    @field_validator("replicas")
    @classmethod
    def _is_odd(cls, replicas: int) -> int:
        if replicas not in (1, 3, 5):
            raise ValueError("expected 3, 5, or 1 to try it out")
        return replicas

    @model_validator(mode="after")
    def _has_one_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("expected username and password together")
        ways = [self.username, self.token, self.credentials]
        if sum(way is not None for way in ways) > 1:
            raise ValueError("expected one of username, token and credentials")
        if "cluster" in self.roles and "aggregate" not in self.roles:
            raise ValueError("expected the role aggregate beside cluster: what such a plugin finds rides on a flush")
        if self.tls_key is not None and self.tls_cert is None:
            raise ValueError("expected tls_cert beside tls_key")
        return self

    def login(self) -> dict[str, Any]:
        """The arguments of `nats.connect` that say who connects."""
        if self.token is not None:
            return {"token": self.token}
        if self.username is not None:
            return {"user": self.username, "password": self.password}
        return {} if self.credentials is None else {"user_credentials": str(self.credentials)}
