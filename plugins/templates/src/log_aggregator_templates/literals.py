"""Words that name a severity, an outcome or a state, keys whose values enumerate, and constants of languages.

They are a prior, no more: such words stay in a pattern where other words would be taken for values. What is not
listed here is decided by evidence alone, so a log of another language loses nothing but the prior.
"""

from __future__ import annotations

import re

CONSTANTS = frozenset({"true", "false", "null", "nil", "none", "undefined", "nan"})
"""What programming languages print for a truth value or for nothing: a value where a value stands."""

BOOLEANS = frozenset({"true", "false"})
"""Two of them at one place are a value, also in prose."""

_SEVERITIES = """
trace debug info information informational notice warn warning error err errors crit critical fatal alert emerg
emergency panic severe verbose fine finer finest dbg inf wrn ftl erreur avertissement fehler warnung hinweis aviso
advertencia errore avviso ошибка предупреждение 错误 警告 信息 エラー
"""

_STATES = """
ok success succeed succeeds succeeded successful successfully fail fails failed failing failure failures pass passed
passes accepted accept accepts rejected reject rejects refused granted denied deny allowed allow blocked block
permitted forbidden authorized unauthorized valid invalid expired revoked verified unverified yes no on off up down
enabled disabled enable disable opened closed open close opening closing start stop started stopped starting
stopping begin end began ended running idle ready busy active inactive activating deactivating alive dead healthy
unhealthy degraded online offline available unavailable reachable unreachable connected disconnected connect
disconnect connecting disconnecting attached detached mounted unmounted locked unlocked loaded unloaded created
deleted added removed inserted updated installed uninstalled upgraded acquired released exited killed dumped aborted
terminated crashed cancelled canceled completed complete finished done pending queued skipped ignored dropped lost
found missing present absent hit miss timeout above below over under high low increased decreased increasing
decreasing full empty clean dirty primary replica master slave leader follower standby login logout logon logoff
read write send sent receive received request response in out true false erfolgreich fehlgeschlagen gestartet
gestoppt réussi échoué éxito fallido успешно неудачно 成功 失败 失敗
"""

_TIME_UNITS = """
ns us µs μs ms s nsec usec msec sec min hr nanosecond microsecond millisecond second minute hour day week
"""

SEVERITIES = frozenset(_SEVERITIES.split())
"""What loggers call their levels."""

STATES = frozenset(_STATES.split())
"""What came of something, or which of few states it is in."""

TIME_UNITS = frozenset(unit + plural for unit in _TIME_UNITS.split() for plural in ("", "s"))
"""What a time is measured in, where it is written apart from the number."""

_ENUMERATES = re.compile(
    r"(?:^|[^a-zA-Z]|(?<=[a-z])(?=[A-Z]))(?i:status|state|code|result|res|outcome|level|lvl|severity|sev|reason|cause"
    r"|error|err|event|method|phase|signal|exit|msg|message|verdict|decision|disposition)$"
)
_CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9]+(?:[_/-][A-Z0-9]+)*")


def is_state(word: str) -> bool:
    """Does the word name a severity, an outcome or a state?"""
    lower = word.lower()
    return lower in STATES or lower in SEVERITIES


def enumerates(key: str) -> bool:
    """Is this a key whose values are few and mean different things?"""
    return _ENUMERATES.search(key) is not None


def is_constant_name(word: str) -> bool:
    """Is the word written as constants are: `ACTION_DOWN`, `PRIVATE`?"""
    return _CONSTANT_NAME.fullmatch(word) is not None
