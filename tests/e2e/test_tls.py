"""TLS on the listener: what is served, who may come, a new certificate on SIGHUP, and our own commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.service import COMMAND, ServiceProcess, StartService

PIPELINE = "[plugins.patterns]\n[plugins.sqlite]\n[plugins.mcp]\n"


def port_of(service: ServiceProcess) -> int:
    return int(service.url.rpartition(":")[2])


def ask(service: ServiceProcess, context: ssl.SSLContext, path: str = "/health") -> tuple[str, str]:
    """The body of a GET, and the name of the certificate that was shown."""
    address = ("127.0.0.1", port_of(service))
    with (
        socket.create_connection(address, timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: secured.recv(65536), b""))
        if not answer:
            raise ConnectionError("closed without an answer")
        subject = dict(pair[0] for pair in (secured.getpeercert() or {}).get("subject", ()))
        return answer.decode(), str(subject["commonName"])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_new_certificate_is_served_after_sighup(start_service: StartService, tmp_path: Path, workers: str) -> None:
    authority = Authority(tmp_path)
    cert, key = tmp_path / "tls.pem", tmp_path / "tls-key.pem"

    def install(name: str) -> None:
        for made, used in zip(authority.issue(name), (cert, key), strict=True):
            shutil.copy(made, used)

    install("first")
    environ = {"TLS_CERT": str(cert), "TLS_KEY": str(key), "WORKERS": workers}
    service = start_service(PIPELINE, environ)
    assert service.url.startswith("https://")
    context = ssl.create_default_context(cafile=str(authority.file))
    assert ask(service, context)[1] == "first"
    with socket.create_connection(("127.0.0.1", port_of(service)), timeout=20) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP/1.1 200" not in plain.recv(65536), "plain HTTP is not answered"
    install("second")
    service.running.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 240
    while service.read_output().count("reloaded") < int(workers):
        assert time.monotonic() < deadline, service.read_output()
    assert {ask(service, context)[1] for _ in range(6)} == {"second"}
    cert.write_text("nonsense")
    service.running.send_signal(signal.SIGHUP)
    while service.read_output().count("nothing is reloaded") < int(workers):
        assert time.monotonic() < deadline, service.read_output()
    assert ask(service, context)[1] == "second"
    assert "Traceback" not in service.read_output()


def test_only_clients_with_a_certificate_come_in(start_service: StartService, tmp_path: Path) -> None:
    authority, clients, others = Authority(tmp_path), Authority(tmp_path, "clients"), Authority(tmp_path, "others")
    cert, key = authority.issue("server")
    ours, stranger = clients.issue("ours"), others.issue("stranger")
    environ = {"TLS_CERT": str(cert), "TLS_KEY": str(key), "TLS_CLIENT_CA": str(clients.file), "HOST": "0.0.0.0"}
    service = start_service(PIPELINE, environ)
    for shown in (None, stranger):
        context = ssl.create_default_context(cafile=str(authority.file))
        if shown is not None:
            context.load_cert_chain(*shown)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(service, context)
    context = ssl.create_default_context(cafile=str(authority.file))
    context.load_cert_chain(*ours)
    assert '"access":"client certificates"' in ask(service, context)[0]
    given = {**os.environ, **environ, "PORT": str(port_of(service))}
    assert subprocess.run([COMMAND, "health"], env=given, check=False, timeout=60).returncode == 1
    shown_by = {"LOG_AGGREGATOR_CLIENT_CERT": str(ours[0]), "LOG_AGGREGATOR_CLIENT_KEY": str(ours[1])}
    assert subprocess.run([COMMAND, "health"], env=given | shown_by, check=False, timeout=60).returncode == 0


def test_our_commands_speak_tls(start_service: StartService, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    environ = {"TLS_CERT": str(cert), "TLS_KEY": str(key)}
    service = start_service(PIPELINE, environ)
    given = {**os.environ, "LOG_AGGREGATOR_URL": service.url}

    def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *command], env=given | more, input="User 1 logged in\n", capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

    trusted = {"LOG_AGGREGATOR_CA": str(authority.file)}
    assert run("send", "-", "--patience", "1").returncode == 1, "an unknown CA is not trusted"
    for command in (("send", "-"), ("demo", "--count", "5", "--rate", "1000"), ("top", "--once"), ("health", "--url",
                    service.url)):  # fmt: skip
        done = run(*command, **trusted)
        assert done.returncode == 0, done.stderr + done.stdout
    own = run("health", "--json", PORT=str(port_of(service)), **environ)
    assert (own.returncode, json.loads(own.stdout)["accepting"]) == (0, True)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "log_metrics", "arguments": {}}}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    lines = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        call,
    ]
    with subprocess.Popen(
        [COMMAND, "mcp"], env=given | trusted, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as assistant:
        assert assistant.stdin is not None
        assert assistant.stdout is not None
        for line in lines:
            assistant.stdin.write(json.dumps(line) + "\n")
            assistant.stdin.flush()
        answers = [json.loads(assistant.stdout.readline()) for _ in range(2)]
        assistant.stdin.close()
    assert "accepted" in answers[1]["result"]["content"][0]["text"]
    over_http = subprocess.run(
        ["curl", "--silent", "--show-error", "--cacert", str(authority.file), "-d", json.dumps(call),
         "-H", "Content-Type: application/json", "-H", "Accept: application/json, text/event-stream",
         f"{service.url}/mcp"], capture_output=True, text=True, check=False, timeout=60,
    ) if shutil.which("curl") else None  # fmt: skip
    assert over_http is None or "accepted" in over_http.stdout, over_http.stderr


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"TLS_KEY": "{dir}/server-key.pem"}, "TLS_KEY: without TLS_CERT there is no TLS"),
        ({"TLS_CERT": "{dir}/none.pem"}, "TLS_CERT {dir}/none.pem: cannot be read: No such file"),
        ({"TLS_CERT": "{dir}/server.pem", "TLS_KEY": "{dir}/other-key.pem"}, "KEY_VALUES_MISMATCH"),
        ({"TLS_CERT": "{dir}/server.pem"}, "expected PEM files of a certificate"),
        ({"TLS_CERT": "{dir}/server.pem", "TLS_KEY": "{dir}/server-key.pem", "TLS_CLIENT_CA": "{dir}/server-key.pem"},
         "TLS_CLIENT_CA {dir}/server-key.pem: expected a PEM file of certificates"),
    ],
)  # fmt: skip
def test_files_that_are_wrong_stop_the_start(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    authority = Authority(tmp_path)
    authority.issue("server")
    authority.issue("other")
    filled = {name: value.format(dir=tmp_path) for name, value in environ.items()}
    (tmp_path / "plugins.toml").write_text("[plugins.sqlite]\n")
    for command in ("check", "serve"):
        done = subprocess.run(
            [COMMAND, command], cwd=tmp_path, env={**os.environ, "PORT": "0", **filled}, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 1
        assert says.format(dir=tmp_path) in done.stderr
        assert "Traceback" not in done.stderr
