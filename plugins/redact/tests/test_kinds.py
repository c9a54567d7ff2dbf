"""Secrets of more than a hundred kinds are found; lines of a hundred programs are left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from log_aggregator import Record
from log_aggregator_dev import run_stage
from log_aggregator_redact import RedactPlugin
from log_aggregator_redact.config import Config
from log_aggregator_redact.finders import TokenForm, in_bytes, token_forms
from log_aggregator_redact.texts import lowered_shape_of

from .planted import Planted, plant_all

HERE = Path(__file__).parent
PROGRAMS = [
    line.split(" | ", 1) for line in (HERE / "ordinary_programs.txt").read_text("utf-8").splitlines() if line.strip()
]


def redacted(messages: list[str]) -> list[str]:
    records = [Record(message, "INFO", "web", 0, {}) for message in messages]
    run_stage(RedactPlugin(Config()), records)
    return [record.message for record in records]


def leaks(secret: Planted, text: str) -> bool:
    """Whether six characters in a row of the secret are still there."""
    parts = [line for line in secret.secret.splitlines() if line]
    return any(part[start : start + 6] in text for part in parts for start in range(max(1, len(part) - 5)))


@pytest.mark.parametrize("seed", range(6))
def test_secrets_of_all_kinds_are_found(seed: int) -> None:
    secrets = plant_all(seed)
    assert len(secrets) >= 220
    assert len({secret.kind for secret in secrets}) >= 100
    texts = redacted([secret.message for secret in secrets])
    missed = [(s.kind, s.message, text) for s, text in zip(secrets, texts, strict=True) if leaks(s, text)]
    assert missed == []
    assert redacted(texts) == texts


def test_lines_of_a_hundred_programs_are_left_alone() -> None:
    lines = [line for _, line in PROGRAMS]
    assert len(lines) >= 300
    assert len({program for program, _ in PROGRAMS}) >= 100
    changed = [(line, text) for line, text in zip(lines, redacted(lines), strict=True) if line != text]
    assert changed == []


def test_lines_with_the_words_of_the_rules_are_left_alone() -> None:
    lines = (HERE / "ordinary_words.txt").read_text("utf-8").splitlines()
    assert len(lines) >= 250
    changed = [(line, text) for line, text in zip(lines, redacted(lines), strict=True) if line != text]
    assert changed == []


@pytest.mark.parametrize("token", token_forms(), ids=lambda token: token.service)
def test_every_form_of_the_table_is_found_in_a_line_and_has_its_gate(token: TokenForm) -> None:
    assert re.fullmatch(r"https://[\w.-]+/\S*", token.source)

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        st.sampled_from(token.forms).flatmap(
            lambda form: st.from_regex(re.compile(_drawn(form), re.ASCII), fullmatch=True).filter(
                re.compile(_inside(form), re.ASCII).fullmatch
            )
        )
    )
    def check(made: str) -> None:
        line = f"refused {_context(token)}{made} ok"
        assert re.search(rf"(?<![A-Za-z\d_-])(?:{'|'.join(token.forms)})", line, re.ASCII), line
        assert in_bytes(token.near).search(lowered_shape_of(line)), line
        text = redacted([line])[0]
        assert "[redacted:" in text
        assert made[:30] not in text

    check()


def _drawn(form: str) -> str:
    """The form without what must stand around it."""
    return re.sub(r"\(\?<?[!=][^()]*\)", "", form)


def _inside(form: str) -> str:
    """The form without what must stand before it."""
    return re.sub(r"\(\?<[!=][^()]*\)", "", form)


def _context(token: TokenForm) -> str:
    return {"Mailgun": "api:", "Kubernetes bootstrap": "token ", "Zendesk and Freshworks": "bob/token:"}.get(
        token.service, ""
    )
