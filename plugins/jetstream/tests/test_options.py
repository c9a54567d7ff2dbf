"""The options of `[journal]`, and what is proved of the servers before anything is acknowledged."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from log_aggregator import ConfigError
from log_aggregator.journals import JournalPlace
from log_aggregator_jetstream import JetstreamConfig, JetstreamPlugin
from tests.support.nats import PROGRAM, NatsCluster, needs_nats

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"servers": []}, "at least 1 item"),
        ({"servers": ["http://a:4222"]}, "nats://192.0.2.10:4222"),
        ({"servers": ["nats://me:secret@a"]}, "no name and password"),
        ({"replicas": 2}, "3, 5, or 1"),
        ({"member": "a b"}, "letters, digits"),
        ({"monitors": ["a:8222"]}, "http://192.0.2.10:8222"),
        ({"username": "me"}, "username and password together"),
        ({"token": "t", "credentials": "file"}, "one of username, token and credentials"),
        ({"tls_key": "key.pem"}, "tls_cert beside tls_key"),
        ({"roles": ["cluster"]}, "the role aggregate beside cluster"),
        ({"roles": ["leader"]}, "'intake', 'aggregate' or 'cluster'"),
        ({"max_age": 5}, "Extra inputs"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_options_say_what_is_expected(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        JetstreamConfig.model_validate({"servers": ["nats://a:4222"], **options})
    assert said in str(error.value)


def config(cluster: NatsCluster, **more: object) -> JetstreamConfig:
    options = {"servers": cluster.servers, "replicas": 1, "partitions": 1, "max_bytes": 2**24, "member": "m"}
    return JetstreamConfig.model_validate({**options, **more})


@needs_nats
async def test_what_is_proved_and_what_is_not(tmp_path: Path) -> None:
    place = JournalPlace(tmp_path, 10)
    with NatsCluster(tmp_path / "always") as cluster:
        lines = await JetstreamPlugin(config(cluster)).check()
        assert any("unproven: name the servers' monitoring" in line for line in lines)
        assert any("streams are not there yet" in line for line in lines)
        proved = config(cluster, monitors=cluster.monitors)
        async with JetstreamPlugin(proved).open(place) as journal:
            assert (journal.remark, journal.degraded) == ("", "")
        lines = await JetstreamPlugin(proved).check()
        assert any("syncs always: proved" in line for line in lines)
        assert any("1 partitions, 1 replicas, discard new, window 600 s: proved" in line for line in lines)
        for wrong, said in (
            ({"window": 60}, "duplicate_window is 600.0, expected 60.0"),
            ({"partitions": 2}, "partitions: 2: the log has 1"),
            ({"monitors": ["http://127.0.0.1:9"]}, ""),
        ):
            if said:
                with pytest.raises(ConfigError, match=said):
                    async with JetstreamPlugin(config(cluster, **wrong)).open(place):
                        pass
            else:
                async with JetstreamPlugin(config(cluster, **wrong)).open(place) as journal:
                    assert "no answer from http://127.0.0.1:9" in journal.remark
        with pytest.raises(ConfigError, match="WORKERS"):
            async with JetstreamPlugin(proved).open(JournalPlace(tmp_path, 10, 0, 2)):
                pass


@needs_nats
async def test_servers_that_sync_now_and_then_are_refused(tmp_path: Path) -> None:
    with NatsCluster(tmp_path, sync="2m") as cluster:
        plugin = JetstreamPlugin(config(cluster, monitors=cluster.monitors))
        with pytest.raises(ConfigError, match="sync_interval is not always"):
            await plugin.check()
        with pytest.raises(ConfigError, match="sync_interval is not always"):
            async with plugin.open(JournalPlace(tmp_path, 10)):
                pass


@needs_nats
async def test_no_server_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    plugin = JetstreamPlugin(JetstreamConfig(servers=("nats://127.0.0.1:9",), patience=1))
    with pytest.raises(ConfigError, match=r"no connection to nats://127\.0\.0\.1:9"):
        await plugin.check()


@needs_nats
def test_the_servers_file_of_the_repository_is_valid() -> None:
    file = ROOT / "deploy/cluster/nats.conf"
    environ = {**os.environ, "NODE": "a", "NATS_PASSWORD": "x"}
    done = subprocess.run([PROGRAM or "", "-t", "-c", str(file)], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sync_interval: always" in file.read_text()
