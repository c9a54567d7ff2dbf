"""Requests to the other service: deadlines, and what its answers mean."""

from __future__ import annotations

import io
import ssl
from typing import Any, NamedTuple

import aiohttp
import msgspec

from log_aggregator import ConfigError
from log_aggregator_upstream.config import UpstreamConfig
from log_aggregator_upstream.delivery import CONTENT_TYPE

MAX_RESPONSE_BYTES = 65_536
MAX_RETRY_AFTER = 300.0

MEANINGS = {
    401: "the API key is missing or wrong; expected one of the scope ingest in `key`",
    403: "the API key may not send these; expected one of the scope ingest that covers their sources",
    404: "it takes no aggregates; expected [plugins.edges] accept = true there",
    409: "it does not continue what was sent before",
    413: "the request is too large there; expected a smaller max_request_bytes here, or larger limits there",
}
"""What statuses mean, in the words of this plugin."""


class NotTakenError(Exception):
    """The other service has not taken a delivery, as far as is known: it is sent again, as it is."""

    def __init__(self, reason: str, *, needs_person: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.needs_person = needs_person
        self.retry_after = retry_after


class _Rejected(msgspec.Struct):
    reason: str = ""


class Taken(msgspec.Struct):
    """The answer to a delivery that was taken."""

    accepted: int = 0
    duplicate: bool = False
    rejected: list[_Rejected] = []


class Hub:
    """An HTTP client of one service. Call `close` at the end."""

    def __init__(self, config: UpstreamConfig, trust: ssl.SSLContext | bool) -> None:
        self._url = config.target
        self._timeout = config.timeout
        self._headers = {"Content-Type": CONTENT_TYPE, "Content-Encoding": "zstd"}
        key = config.key.get_secret_value()
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1, ssl=trust),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=config.timeout, connect=config.connect_timeout),
            headers={"User-Agent": "log-aggregator-upstream"},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def send(self, body: bytes) -> Taken:
        """Send a delivery; returns once it was taken. Raises `NotTakenError`."""
        try:
            async with self._session.post(
                self._url, data=io.BytesIO(body), headers=self._headers, allow_redirects=False
            ) as response:
                content = await response.content.read(MAX_RESPONSE_BYTES)
                while len(content) < MAX_RESPONSE_BYTES and not response.content.at_eof():
                    content += await response.content.read(MAX_RESPONSE_BYTES - len(content))
        except TimeoutError:
            raise NotTakenError(f"{self.shown}: no response within {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NotTakenError(f"{self.shown}: {_described(error)}") from None
        if response.status == 202:
            try:
                return msgspec.json.decode(content, type=Taken)
            except msgspec.MsgspecError:
                raise NotTakenError(f"{self.shown}: the answer is not that of a log-aggregator") from None
        raise self._refusal(response.status, content, response.headers.get("Retry-After", ""))

    @property
    def shown(self) -> str:
        """The address, without what may be secret."""
        return f"{self._url.origin()}{self._url.path}"

    def _refusal(self, status: int, content: bytes, retry_after: str) -> NotTakenError:
        text = MEANINGS.get(status) or ("redirects are not followed" if 300 <= status < 400 else "")
        told = _detail(content)
        why = "; ".join(part for part in (text, told) if part)
        wait = min(float(retry_after), MAX_RETRY_AFTER) if retry_after.isdecimal() else None
        is_busy = status in (408, 425, 429) or status >= 500
        return NotTakenError(f"{self.shown}: status {status}: {why}", needs_person=not is_busy, retry_after=wait)


def trust_of(config: UpstreamConfig) -> ssl.SSLContext | bool:
    """The certificates to trust. Raises `ConfigError`."""
    if config.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(config.ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_file {config.ca_file}: expected readable PEM certificates: {error}") from None


def _detail(content: bytes) -> str:
    """What the other service says of it; it holds no log text."""
    try:
        document: Any = msgspec.json.decode(content)
    except msgspec.MsgspecError:
        return ""
    detail = document.get("detail") if isinstance(document, dict) else None
    return detail[:300] if isinstance(detail, str) and detail.isprintable() else ""


def _described(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"TLS: {getattr(error, 'certificate_error', error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without a response"
    return type(error).__name__


class Refused(NamedTuple):
    """Groups of taken deliveries that the other service left out, and why it did so last."""

    groups: int = 0
    reason: str = ""
