"""Lines on a real socket, into a running service."""

from __future__ import annotations

import asyncio
import socket

import pytest

from log_aggregator import ConfigError
from log_aggregator_dev import harness
from log_aggregator_lines import LinesReceiver
from log_aggregator_lines.objects import objects_in


async def test_text_and_json_lines_are_logs_and_blank_ones_are_none() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with harness(f'[plugins.lines]\ntcp = "127.0.0.1:{port}"\nsource = "console"\n') as running:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in (
            b"plain te",
            b"xt\r\n\n  \n",
            b'{"msg": "from json", "level": "error", "service": "shop"}\n',
            b"last",
        ):
            writer.write(piece)
            await writer.drain()
        writer.close()
        async with asyncio.timeout(20):
            while sum((await running.counts()).values()) < 3:
                await asyncio.sleep(0.02)
        found = {(one.pattern, one.level, one.source): one.count for one in await running.aggregates()}
    expected = {("plain text", "INFO", "console"), ("from json", "ERROR", "shop"), ("last", "INFO", "console")}
    assert found == dict.fromkeys(expected, 1)


def test_a_receiver_without_a_port_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="tcp, udp, tls: none is set"):
        LinesReceiver(LinesReceiver.Config())


async def test_datagrams_and_objects_one_behind_the_other() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        async with harness(f'[plugins.lines]\nudp = "127.0.0.1:{port}"\nsource = "console"\n') as running:
            out.sendto(b'{"msg": "one", "level": "warn"}\n{"msg": "two"}\n', ("127.0.0.1", port))
            out.sendto(b'{"msg": "three }{ and"}{"msg": "four"}{"msg": ', ("127.0.0.1", port))
            async with asyncio.timeout(20):
                while sum((await running.counts()).values()) < 5:
                    await asyncio.sleep(0.02)
            found = {one.pattern: one.level for one in await running.aggregates()}
    assert found == {"one": "WARN", "two": "INFO", "three }{ and": "INFO", "four": "INFO", '{"msg": ': "INFO"}


def test_a_line_is_split_only_where_it_is_several_objects() -> None:
    assert list(objects_in('{"a": "}{"}')) == ['{"a": "}{"}']
    assert list(objects_in('{"a": 1}{"b": {}} rest')) == ['{"a": 1}', '{"b": {}}', " rest"]
    assert list(objects_in("a }{ b")) == ["a }{ b"]
    assert list(objects_in(" ")) == []
    hostile = '{"a":' * 100_000 + "}{"
    assert list(objects_in(hostile)) == [hostile]
