"""Options that the `Config` of a receiver shares with others: a port with TLS."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from log_aggregator.listeners.tls import Tls


class TlsOptions(BaseModel):
    """A TLS port: where it listens, and its PEM files. With `client_ca`, only clients with its certificates connect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(description="address and port, such as 0.0.0.0:6514")
    cert: Path = Field(description="PEM file of the certificate chain")
    key: Path | None = Field(None, description="PEM file of the private key; without it, `cert` holds it")
    client_ca: Path | None = Field(None, description="PEM file of the authority whose clients may connect")

    def tls(self) -> Tls:
        """The files, for `service.listen_tcp`."""
        return Tls(self.cert, self.key, self.client_ca)
