"""The range of API versions that a plugin says it was written for."""

from __future__ import annotations

import pytest

from log_aggregator.plugins.api_range import fits


@pytest.mark.parametrize(
    ("api", "version", "does"),
    [
        (">=1,<2", 1, True),
        (">=1,<2", 2, False),
        (">=2", 1, False),
        (" >= 1 , < 3 ", 2, True),
        ("==2", 2, True),
        (">=1,!=2", 2, False),
        ("<=1", 1, True),
        (">1", 1, False),
    ],
)
def test_every_bound_must_hold(api: str, version: int, does: bool) -> None:
    assert fits(api, version) is does


@pytest.mark.parametrize("api", ["", "1", ">=1,", "~=1", ">=1.2", "=1", ">=x", ">=1 <2"])
def test_what_is_no_range_is_refused(api: str) -> None:
    with pytest.raises(ValueError, match="expected a range such as '>=1,<2'"):
        fits(api, 1)
