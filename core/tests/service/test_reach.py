"""The start line says who can connect."""

from __future__ import annotations

import pytest

from log_aggregator.config.settings import load_settings
from log_aggregator.service.reach import hint, shown_host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_a_loopback_address_names_the_setting(host: str) -> None:
    assert hint(load_settings({"HOST": host})) == "only this machine can connect; HOST=0.0.0.0 lets others in"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_names_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "pi")
    assert hint(load_settings({"HOST": host})).startswith("other machines connect to pi.local")
    assert shown_host(host) == "127.0.0.1"


def test_one_address_is_told_as_it_is() -> None:
    assert hint(load_settings({"HOST": "10.0.0.7"})) == "other machines connect to 10.0.0.7"
