"""Secrets that a name gives away: `password=…`, `"api_key": "…"`, `token: …`, and where their values end."""

from __future__ import annotations

from log_aggregator_redact.rule import Rule

_SEPARATOR = r"""(?:\\*["'`])?\]?\s{0,3}(?>=>|:=|==?|:|%\dD)\s{0,3}+"""
_TIGHT = r"""(?>\\*["'`]\]?\s{0,3}(?:=>|:=|==?|:)|\]?\s{0,3}(?:=>|:=|==?|%\dD)|:(?=[^\s:/]))\s{0,3}+"""

_OPENING = r"""(?:(?P<esc>\\+)?(?P<q>["'`]))?+"""

_BARE = r"""(?:[^\s"'`,;&<(){}\[\]]|<(?!/)|["'`,;&(){}\[\]](?![\s"'`,;)}\]]|\Z|[\w.-]{1,40}\s?[=:]))+"""
"""Without quotes a value goes on to the next blank; a comma, quote or bracket ends it only where a list would go on."""

_VALUE = r"(?P<secret>(?(q)(?(esc)(?:(?!(?P=esc)(?P=q))[\s\S])+|(?:\\[\s\S]|(?!(?P=q))[^\\])+)|" + _BARE + "))"

_NOTHING = r"(?!\[redacted|[*•]{2}|(?:null|none|nil|true|false|undefined|empty|unset)(?![^\s,.;:)}\]\"'`!?&]))"
_NO_WORD = (
    r"(?!(?:required|missing|invalid|incorrect|wrong|expired|changed|reset|updated|ok|failed|failure|must|cannot|is|was|"
    r"has|does|not|no|yes|too|for|from|authentication|mismatch|provided|accepted|rejected|user|username)"
    r"(?![^\s,.;:)}\]\"'`!?]))"
)
_NO_OBJECT = r"(?![A-Za-z.$]{1,60}(?:\{|@[\da-f]{1,8}(?!\w)))"
"""`token=Token{3f1 …}` and `token=BinderProxy@1c2d` are how Java prints objects."""

_LIKELY = r"(?=[^\s\"'`]{0,200}\d|[^\s\"'`]{20})(?![/~])"

_WORD = r"(?:pass(?:word|wd|phrase|code|wort)|pwd(?!(?:\\*[\"'])?\s{0,3}[:=]\s{0,3}[\"']?[/~]))(?:[_-]?\d{1,3})?"
_KEYS = (
    r"(?:api|access|secret|private|signing|encryption|account|shared|master|auth|client|service|storage|license)"
    r"[_. -]?(?:access)?[_. -]?key"
)
_NAME = (
    r"(?:secret|(?<!next)(?<!next[_-])(?<!page)(?<!page[_-])(?<!continuation)(?<!sync)token|credentials?|"
    rf"{_KEYS}|(?<![a-z])(?:otp|cv[vc]\d?|pin[_ -]?code))"
)

_GATE_WORD = ("passw", "passp", "passc", "pwd")
_NEAR = rf"secret|token|credential|{_KEYS}|otp|cv[vc]|pin[_ -]?code"

KEYED = (
    Rule(
        name="password",
        regex=f"(?i){_WORD}{_SEPARATOR}{_OPENING}{_NOTHING}{_NO_WORD}{_VALUE}",
        gate=_GATE_WORD,
    ),
    Rule(
        name="password",
        regex=rf"(?i)<[\w:.-]{{0,40}}{_WORD}>(?P<secret>(?!\[redacted)[^<\s][^<]{{0,500}})",
        gate=_GATE_WORD,
    ),
    Rule(
        name="password",
        regex=r"(?i)pass(?:word|wd|phrase|code)\s{1,3}(?:for\s\S{1,60}\s{1,3})?(?:is|was|to|=|:)\s{1,3}[\"'`]?"
        r"(?P<secret>(?!\[redacted)(?=[^\s\"'`]{0,100}[\d!@#$%^&*])[^\s\"'`]{4,200})",
        gate=_GATE_WORD,
    ),
    Rule(name="secret", regex=f"(?i){_NAME}{_TIGHT}{_OPENING}{_NOTHING}{_NO_OBJECT}{_VALUE}", near=_NEAR),
    Rule(
        name="secret",
        regex=rf"(?i){_NAME}\s{{0,3}}:\s{{0,3}}+{_OPENING}{_NOTHING}{_NO_OBJECT}{_LIKELY}{_VALUE}",
        near=_NEAR,
    ),
    Rule(
        name="secret",
        regex=rf"(?i)<[\w:.-]{{0,40}}{_NAME}>(?P<secret>(?!\[redacted)[^<\s][^<]{{0,500}})",
        near=_NEAR,
    ),
)
"""Applied after the rules of `rules.toml`: a value that is known by its own form gets the more telling mask."""
