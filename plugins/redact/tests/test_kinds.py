"""Secrets of more than a hundred kinds are found; lines of a hundred programs are left alone."""

from __future__ import annotations

import re
from collections.abc import Callable
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
from log_aggregator_redact.words import words

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


NAMES = [
    word
    for name in ("passwords", "short_passwords", "secrets", "short_secrets")
    for word in words(name)
    if word != "tokens"
]


@pytest.mark.parametrize("spell", [str, str.upper, str.title, "db_{}".format], ids=["lower", "upper", "title", "owned"])
def test_each_name_of_the_lists_is_found_in_a_text(spell: Callable[[str], str]) -> None:
    lines = [f"{spell(name)}=Xy7-kelo-42-Zt" for name in NAMES]
    missed = [line for line, text in zip(lines, redacted(lines), strict=True) if "kelo" in text]
    assert len(lines) > 200
    assert missed == []


def test_each_name_of_a_session_is_found_beside_a_random_value() -> None:
    lines = [f"{name}=f0e1d2c3b4a5968778695a4b3c2d1e0f" for name in words("sessions")]
    assert [line for line, text in zip(lines, redacted(lines), strict=True) if line == text] == []


@pytest.mark.parametrize("service", [token.service for token in token_forms() if token.joined])
def test_unmistakable_tokens_are_found_behind_a_hyphen(service: str) -> None:
    beginning = {
        "Anthropic": "sk-ant-", "Atlassian": "ATATT3x", "DigitalOcean": "dop_v1_", "Docker": "dckr_pat_",
        "Figma": "figd_",
        "GitHub": "ghp_", "GitLab": "glpat-", "Grafana": "glc_", "Linear": "lin_api_", "New Relic": "NRAK-",
        "npm": "npm_", "PlanetScale": "pscale_pw_", "Sentry": "sntryu_", "Shopify": "shpat_", "Slack": "xoxb-",
        "Stripe": "rk_live_", "Supabase": "sbp_", "Postman": "PMAK-",
    }[service]  # fmt: skip
    size = {"Sentry": 64, "Postman": 24, "Shopify": 32, "DigitalOcean": 64}.get(service, 40)
    token = beginning + "0f1e2d3c" * (size // 8) + ("-" + "0f" * 17 if service == "Postman" else "")
    token += "0f1e2d3c4b5a" if service == "Atlassian" else ""
    for line in (f"ci-{token}", f"stored as key_{token}"):
        assert token[-20:] not in redacted([line])[0]
