"""Hundreds of planted secrets go through a real service and are found nowhere: disk, answers, log, what it sends."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import zstandard

from log_aggregator.journal.rows import unpacked

ROOT = Path(__file__).parents[2]
SEED = 41
REST = """
[plugins.patterns]
[plugins.templates]
[plugins.classify]
[plugins.sqlite]
[plugins.analytics]
url = "{url}"
"""


def _planted() -> list[Any]:
    path = ROOT / "plugins" / "redact" / "tests" / "planted.py"
    specification = importlib.util.spec_from_file_location("planted_secrets", path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return list(module.plant_all(SEED))


class Receiver:
    """An analytics service that keeps what it gets."""

    def __init__(self) -> None:
        received: list[bytes] = []
        arrived = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                encoding = self.headers.get("Content-Encoding", "")
                received.append({"gzip": gzip.decompress, "zstd": _unzstd}.get(encoding, bytes)(body))
                self.send_response(200)
                self.end_headers()
                arrived.set()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.received = received
        self.arrived = arrived
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def _unzstd(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(body)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def _logs(secrets: list[Any]) -> list[dict[str, Any]]:
    """Each secret in a message, in metadata, in a key, or in a source."""
    places = (
        lambda text: {"message": text},
        lambda text: {"message": "request refused", "metadata": {"detail": text}},
        lambda text: {"message": "request refused", "metadata": {"a": [{"b": text}], "n": 1}},
        lambda text: {"message": "request refused", "metadata": {"argv": ["run", text]}},
        lambda text: {"message": "request refused", "metadata": {text: True}},
    )
    logs = [places[index % (5 if len(s.message) <= 128 else 4)](s.message) for index, s in enumerate(secrets)]
    logs.append({"message": "up", "source": f"redis://:{secrets[35].secret}@cache"})
    return [{"level": "INFO", "source": "shop", **log} for log in logs]


def _pieces(secrets: list[Any]) -> dict[bytes, str]:
    """Twelve characters in a row of each secret, or all of a shorter one."""
    lines = [(max(secret.secret.split("\n"), key=len), secret.kind) for secret in secrets]
    return {line[-12:].encode(): kind for line, kind in lines}


def _found(pieces: dict[bytes, str], texts: dict[str, bytes]) -> set[tuple[str, str]]:
    return {(where, kind) for where, text in texts.items() for piece, kind in pieces.items() if piece in text}


def _files(directory: Path) -> dict[str, bytes]:
    """What lies on the disk, and the journal's rows as they are unpacked."""
    found = {
        str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file() and path.name != "plugins.toml"
    }
    for path in directory.rglob("journal.sqlite3"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
            rows = journal.execute("SELECT payload FROM intake").fetchall()
        found[f"{path} (unpacked)"] = b"".join(unpacked(payload) for (payload,) in rows)
    return found


def _run(start_service: Any, receiver: Receiver, pipeline: str, name: str) -> dict[str, bytes]:
    """Everything that a run leaves behind, by where it was."""
    secrets = _planted()
    service = start_service(
        pipeline + REST.format(url=receiver.url), {"AGGREGATION_WINDOW": "3600", "BATCH_SIZE": "100000"}, name
    )
    status, answer = service.post("/ingest/batch", {"logs": _logs(secrets)})
    assert status < 300, answer
    texts = {"answer": json.dumps(answer).encode()}
    texts |= {f"before the flush: {where}": text for where, text in _files(service.plugins_file.parent).items()}
    assert service.post("/flush")[0] < 300
    assert receiver.arrived.wait(30)
    for path in ("/stats", "/patterns?limit=1000", "/health"):
        texts[path] = json.dumps(service.get(path)).encode()
    for row in json.loads(texts["/patterns?limit=1000"])["patterns"]:
        texts[f"/patterns/{row['pattern_id']}"] = json.dumps(service.get(f"/patterns/{row['pattern_id']}")).encode()
    service.kill()
    service.start()
    assert service.terminate() == 0
    texts |= _files(service.plugins_file.parent)
    texts["analytics"] = b"\n".join(receiver.received)
    return texts


def test_no_planted_secret_is_found_anywhere(start_service: Any, receiver: Receiver) -> None:
    texts = _run(start_service, receiver, "[plugins.redact]", "with")
    assert _found(_pieces(_planted()), texts) == set()
    assert b"[redacted:" in texts["analytics"]
    assert b"[redacted:" in texts["/patterns?limit=1000"]


def test_the_search_finds_them_where_nothing_is_redacted(start_service: Any, receiver: Receiver) -> None:
    """The control: without it, the test above could be looking in the wrong places."""
    pieces = _pieces(_planted())
    found = _found(pieces, _run(start_service, receiver, "", "without"))
    assert {kind for _, kind in found} == set(pieces.values())
    for place in ("analytics", "/patterns", "journal.sqlite3 (unpacked)", "logs.sqlite3"):
        assert any(place in where for where, _ in found), sorted({where for where, _ in found})
