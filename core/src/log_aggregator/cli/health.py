"""Ask the service of this machine whether it takes logs. The exit code is 0 when it does: for container health checks.

Reads the same HOST, PORT and TLS_CERT as `serve`. Where TLS_CLIENT_CA asks for client certificates, set
LOG_AGGREGATOR_CLIENT_CERT and LOG_AGGREGATOR_CLIENT_KEY.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from log_aggregator.config.client_tls import CA, client_context
from log_aggregator.config.place import own_url
from log_aggregator.config.settings import load_settings

EXAMPLES = """examples:
  log-aggregator health
  PORT=9000 log-aggregator health
  log-aggregator health --url https://logs.example.org
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--url", help="the service (default: the one that HOST, PORT and TLS_CERT describe)")
    parser.add_argument("--json", action="store_true", help="print the whole answer")
    parser.add_argument("--timeout", type=float, default=4.0, metavar="S", help="seconds to wait (default: 4)")


def run(args: argparse.Namespace) -> int:
    """Print the status, and a line for each check that fails; 0 when the service takes logs, else 1."""
    settings = load_settings(os.environ)
    url = (args.url or own_url(settings)).rstrip("/")
    request = urllib.request.Request(f"{url}/health")  # noqa: S310  an address that the user typed, or our own
    if key := os.environ.get("LOG_AGGREGATOR_API_KEY"):
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=args.timeout, context=_tls(os.environ, args.url)) as answer:  # noqa: S310  likewise
            document: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            document = _object(error.read()) or {"status": f"{error.code} {error.reason}", "accepting": False}
    except (OSError, ValueError) as error:
        print(f"{url}: no answer: {getattr(error, 'reason', None) or error}")  # noqa: T201  the answer of the command
        return 1
    print(json.dumps(document) if args.json else "\n".join(_lines(url, document)))  # noqa: T201  likewise
    return 0 if document.get("accepting") else 1


def _lines(url: str, document: dict[str, Any]) -> Iterator[str]:
    yield f"{url}: {document.get('status')}"
    for name, check in document.get("checks", {}).items():
        if not check.get("ok", True):
            yield f"  {name}: {check.get('detail') or check.get('state') or 'fails'}"


def _tls(environ: Mapping[str, str], url: str | None) -> ssl.SSLContext:
    """The own service is asked at its address, which no certificate names: it is not verified there."""
    context = client_context(environ) or ssl.create_default_context()
    if url is None and not environ.get(CA):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "accepting" in found else {}
