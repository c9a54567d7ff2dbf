"""`tools/pin.py` writes what registries answer, and nothing when one does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import pin

DIGEST = "sha256:" + "ab12" * 16
COMMIT = "c0ffee12" * 5
ROOT = Path(__file__).parents[2]


def registries(url: str, headers: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """What Docker Hub and GitHub answer: a token, then a manifest for those who bring it; a commit as text."""
    if url.startswith("https://auth.docker.io/token?") and "repository:library/python:pull" in url:
        return {}, json.dumps({"token": "t0"}).encode()
    if url == "https://registry-1.docker.io/v2/library/python/manifests/3.11-slim":
        assert headers["Authorization"] == "Bearer t0"
        assert "image.index" in headers["Accept"]  # of all platforms, not of the one that asks
        return {"docker-content-digest": DIGEST}, b"{}"
    if url == "https://api.github.com/repos/actions/checkout/commits/v4":
        return {}, f"{COMMIT}\n".encode()
    raise OSError(f"{url}: no answer")


def test_an_image_is_pinned_by_digest_and_pinned_again() -> None:
    once = pin.pinned_images("# a comment\nFROM python:3.11-slim AS run\nRUN true\n", registries)
    assert once == f"# a comment\nFROM python:3.11-slim@{DIGEST} AS run\nRUN true\n"
    assert pin.pinned_images(once.replace("ab12", "0000"), registries) == once


def test_an_action_is_pinned_by_commit_with_its_version_behind_it() -> None:
    once = pin.pinned_actions("      - uses: actions/checkout@v4\n", registries)
    assert once == f"      - uses: actions/checkout@{COMMIT} # v4\n"
    assert pin.pinned_actions(once.replace("c0ffee12", "00000000"), registries) == once


@pytest.mark.parametrize("answer", [{}, {"docker-content-digest": "latest"}])
def test_no_digest_is_made_up(answer: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"python:3\.11-slim: the registry named no digest"):
        pin.digest_of("python:3.11-slim", lambda *_: (answer, b'{"token": "t0"}'))


def test_a_commit_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="actions/checkout@v4: GitHub named no commit"):
        pin.commit_of("actions/checkout", "v4", lambda *_: ({}, b"not found"))


def test_what_is_not_pinned_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin, "ROOT", tmp_path)
    path = tmp_path / "Dockerfile"
    path.write_text(f"FROM python:3.11\nFROM python:3.11-slim@{DIGEST}\n")
    assert list(pin.unpinned(path)) == ["Dockerfile: python:3.11"]


def test_every_image_and_action_of_ours_is_one_that_can_be_pinned() -> None:
    """Each line that names one is understood: a form that it does not know would be left as it is."""
    for path in (ROOT / "Dockerfile", *(ROOT / ".github/workflows").glob("*.yml")):
        text = path.read_text()
        lines = [line for line in text.splitlines() if line.startswith("FROM ") or "uses: " in line]
        assert len(pin.FROM.findall(text)) + len(pin.USES.findall(text)) == len(lines)
