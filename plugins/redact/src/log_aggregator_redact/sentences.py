"""Secrets that a sentence tells, or that stand behind a name without a sign between: `password is x`, `aws_key x`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from log_aggregator_redact.assigned import MASKS, SIGNED, WITH_A_DIGIT, Found, secret
from log_aggregator_redact.keywords import NEAR, PART, TAIL, lowered, name_before
from log_aggregator_redact.names import kind_of
from log_aggregator_redact.values import is_compound, looks_random, value_at

_BEFORE = (
    "tried|tries|trying|wrong|bad|invalid|incorrect|using|used|with|entered|new|old|temporary|temp|default|initial|"
    "generated|typed|sent|got|received|and|mit|und|avec|et|con|com|met"
)
"""Words before the name of a password that its value follows: `tried password x`."""

_TOLD = (
    "password|passphrase|passwd|passcode|pw|pwd|pass|passwort|kennwort|mot de passe|contrase(?:n|ñ)a|clave|senha|"
    "wachtwoord"
)
_OF = "for|of|für|von|des|der|para|por|pour|de|del|da|do|di|voor|van|dla|för|til|till|av|для|от"
_SENTENCE = re.compile(
    r"(?P<name>pass(?:word|wd|[ -]?phrase|code)|pwd|"
    r"passwort|kennwort|mot de passe|contrase[nñ]a|senha|wachtwoord|has[lł]o|heslo|passord|пароль|"
    r"pin(?:[ -]code)?|otp|"
    r"(?:access |auth |api |refresh |session |bearer |secret |private |encryption |signing |master |client )?"
    r"(?:token|secret|key)|credentials?)"
    rf"\s{{1,3}}(?:(?:{_OF})\s(?:[^\s:=]{{1,40}}\s){{0,2}}?[^\s:=]{{1,60}}(?:\s{{1,3}}|(?=[:=])))?"
    r"(?:(?:lautet|ist|est|es|é|è|är|er|jest|je|is now|is|was|set to|changed to|reset to|to|"
    r"equals)(?:\s{1,3}[:=]?|[:=]\s)\s?|[:=]\s{1,3})"
)
_IN_SENTENCES = (
    "pass", "pwd", "kennwort", "contrase", "senha", "wachtwoord", "has", "heslo", "пароль", "pin", "otp", "token",
    "secret", "key", "credential",
)  # fmt: skip
"""Of these one is in each name that `_SENTENCE` begins with."""
_TOLD_PARTS = ("pass", "pw", "kennwort", "contrase", "clave", "senha", "wachtwoord")
_TRIED = re.compile(rf"(?:{_BEFORE}|user(?:name)?[ =:]\S{{1,60}}|[a-z\d][,;])\s(?:{_TOLD})\s")
_SET = re.compile(
    r"(?<![\w.-])(?:env|arg|set|setenv|setx|export|(?:fastcgi|uwsgi)_param)"
    r"\s{1,3}(?P<name>[a-z_][\w.-]{1,60}+)\s{1,3}(?=\S)"
)
_BESIDE = re.compile(rf"{PART}{TAIL}[ \t]{{1,3}}(?=[^\s:=])")
_ALIGNED = re.compile(rf"{PART}{TAIL}(?:[ ]{{2,60}}|\t{{1,10}}[ ]{{0,10}})(?=[^\s:=]+[ \t]*\r?(?:\n|\Z))")
"""A name and a value on a line of their own, as `vault kv get` prints them."""
_MIXED = re.compile(
    r"(?!(?i:sha|md|scram|argon|bcrypt|pbkdf|aes|rfc|utf|v|oauth|saml|totp|mfa|ldap|http|tls|ssl|ipv|ntlm|x)[-_]?v?\d)"
    r"(?=[^\s\d\"']{0,60}\d)(?=[^\sA-Za-z\"']{0,60}[A-Za-z])(?=[^\s\"']{0,60}(?:[A-Z!@#$%^&*+]|\d[A-Za-z]))"
    r"[^\s\"'`=:/,.()\[\]{}<>|]{6,200}(?=[.,;]?(?:\s|\Z))"
)
_CELL = re.compile(r"\|\s{0,20}(?:[a-z_]{0,20}_)?(?:password|passwd|passphrase|pwd)\s{1,20}\|\s{0,20}(?=[^\s|])")
_WITH_BOTH = re.compile(
    r"(?!(?i:sha|md|scram|argon|bcrypt|pbkdf|aes|rfc|utf|v|step|reset|test|policy|rule|level)[-_]?\d)"
    rf"(?:(?=[^\s\d]{{0,60}}\d)(?=[^\sA-Za-z]{{0,60}}[A-Za-z])|(?={SIGNED}))[^\s\"'`]{{6,200}}"
)
_OF_ALL_KINDS = r"(?=[^\s\d]{0,60}\d)(?=[^\sa-z]{0,60}[a-z])(?=[^\sA-Z]{0,60}[A-Z])"
_TOLD_VALUE = re.compile(rf"(?!(?i:sha|md|scram|argon|bcrypt|pbkdf|aes|utf|ucs)[-_]?\d{{1,3}}\b){WITH_A_DIGIT.pattern}")
_SIGNED = re.compile(SIGNED)
_OF_ALL = re.compile(rf"{_OF_ALL_KINDS}[^\s\"'`]{{10,200}}")
_RANDOM_WORD = re.compile(
    rf"{_OF_ALL_KINDS}[^\s\"'`=:,;()<>]{{10,200}}={{0,2}}"
    r"|(?=[a-z\d]{20})(?=(?:[a-z]{0,20}\d){4})(?=(?:\d{0,20}[a-z]){4})[a-z\d]{20,200}(?![\w./:-])"
)

NEAR_SENTENCE = (
    r"(?:pass(?:word|wd|[ -]?phrase|code|wort|ord)|pwd|kennwort|mot de passe|contrase(?:n|ñ|Ñ)a|senha|"
    r"wachtwoord|has(?:l|ł|Ł)o|heslo|"
    r"пароль|Пароль|ПАРОЛЬ|pin(?:.code)?|otp|token|secret|key|credentials?)\s+"
    rf"(?:(?:{_OF}|f\S+r)\s(?:[^\s:=]+\s){{0,2}}[^\s:=]+:?\s*)?"
    r"(?:lautet|ist|est|es|é|è|är|er|jest|je|is|was|set to|changed to|reset to|to|equals|:|=)[:=]?\s|"
    rf"(?:{_BEFORE}|user(?:name)?[ =:]\S+|[a-z0][,;])\s(?:{_TOLD})\s"
    r"|(?:pass.?(?:word|wd|phrase|code|wort|ord)|pwd|kennwort|secret|token|key)\s+(?:for|of|für|para|pour)\s[^:=\n]*[:=]\s"
    rf"|(?:env|arg|set|setx|export|param)\s+[a-z0-9_.-]*{NEAR}\s"
    r"|(?:password|passwd|passphrase|pwd)\s+\|\s"
    rf"|{NEAR}(?:[ \t]+[^\s:=0]*0|(?:[ ]{{2}}|\t)[ \t]*[^\s:=]+\s*(?:\n|$))"
)


def sentences(text: str) -> Iterator[Found]:
    """Secrets that a sentence tells: `the new password is …`, `tried password …`."""
    low = lowered(text)
    for match in _SENTENCE.finditer(low) if any(map(low.__contains__, _IN_SENTENCES)) else ():
        kind = kind_of(match["name"]) or "session"
        value = value_at(text, match.end(), secret(text, kind, is_tight=False, name="otp"))
        if value is None:
            continue
        if kind == "password" and (value.is_quoted or _TOLD_VALUE.match(text, value.start)):
            yield value.start, value.stop, "password"
        elif kind != "password" and (
            looks_random(text, value.start)
            or kind == "pin"
            or (kind == "secret" and value.is_quoted and _SIGNED.match(text, value.start))
            or (kind == "secret" and _OF_ALL.match(text, value.start))
        ):
            yield value.start, value.stop, MASKS[kind]
    yield from _directives(text, low)
    yield from _beside(text, low)
    yield from _aligned(text, low)
    for match in chain(_TRIED.finditer(low), _CELL.finditer(low)) if any(map(low.__contains__, _TOLD_PARTS)) else ():
        value = value_at(text, match.end(), secret(text, "password", is_tight=False))
        if value is None:
            continue
        if text[value.start - 1] == "`" and match[0].endswith("pass "):
            continue  # `keyword`, as documents write it
        if value.is_quoted or _WITH_BOTH.match(text, value.start):
            yield value.start, value.stop, "password"


def _beside(text: str, low: str) -> Iterator[Found]:
    """Values that look like one and stand right behind a name: `site_password x`, `aws_sec_key x`."""
    for match in _BESIDE.finditer(low):
        stop = match.start() + len(match[0].rstrip(" \t"))
        given = kind_of(name_before(text, match.start(), stop))
        likely = {"password": _MIXED, "secret": _RANDOM_WORD}.get(given or "")
        found = likely and likely.match(text, match.end())
        if found and low.startswith("pass", stop - 4) and text[match.end()].isdecimal():
            continue  # `pass 3A of 4`
        if found and given is not None and not (given == "secret" and is_compound(text, match.end())):
            yield *found.span(), MASKS[given]


def _aligned(text: str, low: str) -> Iterator[Found]:
    for match in _ALIGNED.finditer(low):
        stop = match.start() + len(match[0].rstrip(" \t"))
        name = name_before(text, match.start(), stop)
        begin = stop - len(name)
        given = kind_of(name)
        if given not in ("password", "secret", "session") or text[max(0, begin - 60) : begin].rpartition("\n")[2].strip(
            " \t"
        ):
            continue
        value = value_at(text, match.end(), secret(text, given, is_tight=False))
        if value is not None:
            yield value.start, value.stop, MASKS[given]


def _directives(text: str, low: str) -> Iterator[Found]:
    """Names and values that a command sets without a separator: `ENV DB_PASS x`."""
    for match in _SET.finditer(low):
        given = kind_of(text[match.start("name") : match.end("name")])
        if given not in ("password", "secret", "session"):
            continue
        value = value_at(text, match.end(), secret(text, given, is_tight=False))
        if value is not None and (given == "session" or value.is_quoted or WITH_A_DIGIT.match(text, value.start)):
            yield value.start, value.stop, MASKS[given]
