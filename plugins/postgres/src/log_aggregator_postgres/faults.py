"""What PostgreSQL says when it does not work, in words that a person can act on, without any value."""

from __future__ import annotations

import ssl

import asyncpg

OUT_OF_REACH = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What using a connection may raise. All of it is tried again: the flush is kept until it is stored."""

REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeEncodeError,
)
"""What the server (or the encoder in front of it) says to a row that it will never take."""

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    OSError,
)
_THERE = (TimeoutError, ssl.SSLError)

_ASK_AGAIN_WITHIN = 2.0
"""Seconds between two tries to reach a server that is away: a refused connection costs nobody anything."""

_SCHEMA_DAMAGED = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidColumnReferenceError)

_POOLER = "a pooler in transaction mode forgets prepared statements: set prepared_statements = false"
_REASONS = {
    "28P01": "the password was refused: check POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE)",
    "28000": "the login was refused: check POSTGRES_USER and the server's pg_hba.conf",
    "3D000": "the database does not exist: create it, or check POSTGRES_DB",
    "42501": "a permission is missing: grant the user the right to create and write the tables",
    "42P01": "a table is missing; it is made (again) where the user may create tables",
    "42703": "a column is missing: someone dropped it; it is made again",
    "42P10": "the unique index of aggregated_logs is missing: someone dropped it; it is made again",
    "42804": "a column has another type than it had: someone altered the table",
    "0A000": "a view or rule of someone depends on the table: drop it, and create it again afterwards",
    "42883": "a column has another type than it had: someone altered the table",
    "26000": _POOLER,
    "42P05": _POOLER,
    "25006": "the server is read-only: a standby, or a failover is under way",
    "53300": "the server has too many connections: raise max_connections, or lower pool_max",
    "53100": "the server's disk is full",
    "53200": "the server is out of memory",
    "57P01": "the server is shutting down",
    "57P02": "the server crashed and recovers",
    "57P03": "the server is starting up or recovering",
    "57014": "a statement took longer than statement_timeout",
    "55P03": "a lock was not free within lock_timeout",
    "40P01": "a deadlock with another program was resolved",
    "40001": "a conflict with another program",
    "P0001": "a trigger refused: someone added one to the table",
    "23505": "an id is taken already: the sequence is behind the rows, as after a restore; it is set right",
    "23502": "a constraint refused every row: someone altered the table",
}


def is_damage(error: BaseException) -> bool:
    """Whether someone dropped or changed what the migrations made, so that running them again repairs it.

    A taken id is such a case: a restore has brought the rows back, but not the sequence.
    """
    if isinstance(error, asyncpg.UniqueViolationError):
        return getattr(error, "constraint_name", None) == "aggregated_logs_pkey"
    return isinstance(error, _SCHEMA_DAMAGED)


def retry_within(error: BaseException) -> float | None:
    """Seconds to wait at most before the server is asked again; `None`: longer and longer, for it is there.

    A server that is stopped, starts, or cannot be reached has no work with the question. One that answers with
    another error, or not in time, may have too much work already, and a refused password may lock the user out.
    """
    return _ASK_AGAIN_WITHIN if isinstance(error, _AWAY) and not isinstance(error, _THERE) else None


def explain(error: BaseException) -> str:
    """One line: what is wrong and what to do. Messages of the server are left out: they quote values."""
    if isinstance(error, asyncpg.PostgresError):
        return _explain_state(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate was refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the server cannot be reached: connection refused"
    if isinstance(error, OSError):
        return f"the server cannot be reached: {error.strerror or type(error).__name__}"
    name = type(error).__name__
    return f"the connection broke ({name})" if isinstance(error, OUT_OF_REACH) else f"unexpected: {name}; see the log"


def _explain_state(error: asyncpg.PostgresError) -> str:
    if isinstance(error, asyncpg.PostgresConnectionError):
        return "the connection broke"
    state = error.sqlstate or "unknown"
    table = getattr(error, "table_name", None)
    return f"{_REASONS.get(state, type(error).__name__)} (SQLSTATE {state}{f', table {table}' if table else ''})"
