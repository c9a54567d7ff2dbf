"""Addresses: of clients, of networks, and to listen on."""

from __future__ import annotations

import socket

import pytest

from log_aggregator.listeners.addresses import Endpoint, client_of, networks, plain


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("0.0.0.0:5514", Endpoint("0.0.0.0", 5514)),
        ("[::1]:514", Endpoint("::1", 514)),
        ("localhost:0", Endpoint("127.0.0.1", 0)),
    ],
)
def test_an_endpoint_is_read_and_shown(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text) == endpoint
    assert Endpoint.parse(str(endpoint)) == endpoint


@pytest.mark.parametrize("text", ["", "5514", ":5514", "example.com:1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"])
def test_what_is_no_endpoint_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected an address and a port such as 0\.0\.0\.0:5514"):
        Endpoint.parse(text)


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.0/99': expected an address or a network such as 10\.0\.0\.0/8"):
        networks(["127.0.0.1", "10.0.0.0/99"])


def test_a_client_is_an_address_or_a_customers_network() -> None:
    assert client_of("10.1.2.3") == client_of("::ffff:10.1.2.3") == "10.1.2.3"
    assert client_of("2001:db8::1") == client_of("2001:db8::2%eth0") == "2001:db8::/64"
    assert (client_of("a pipe"), plain("::ffff:10.1.2.3"), plain("a pipe")) == ("a pipe", "10.1.2.3", "a pipe")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_is_shared_only_among_those_that_share_it(kind: socket.SocketKind) -> None:
    with Endpoint("127.0.0.1", 0).bind(kind, is_shared=True) as first:
        taken = Endpoint("127.0.0.1", first.getsockname()[1])
        taken.bind(kind, is_shared=True).close()
        with pytest.raises(OSError, match="in use"):
            taken.bind(kind, is_shared=False)
