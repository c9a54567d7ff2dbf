"""How the numbered SQL files in `migrations/` are run: once each, by whichever instance comes first."""

from __future__ import annotations

from importlib.resources import files

from log_aggregator_postgres.pool import Pool

_LOCK = 0x6C6F6761_6D696772
_LONGEST = 6 * 3600.0
_KNOWN = """
CREATE TABLE IF NOT EXISTS log_aggregator_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())"""


async def migrate(pool: Pool, *, again: bool = False) -> list[str]:
    """Bring the schema up to date; returns the names of what was run. `again` runs everything once more.

    Every file can run again without loss, so that is how a damaged schema is repaired. A file and the
    note that it ran are one transaction, under an advisory lock that other instances wait for.
    """
    if not again and not await _pending(pool):
        return []
    ran: list[str] = []
    for number, name, script in _scripts():
        async with pool.connection() as connection:
            await connection.execute("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'")
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", timeout=_LONGEST)
            await connection.execute(_KNOWN)
            known = await connection.fetchval("SELECT true FROM log_aggregator_migrations WHERE number = $1", number)
            if again or not known:
                await connection.execute(script, timeout=_LONGEST)
                await connection.execute(
                    "INSERT INTO log_aggregator_migrations (number, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    number,
                    name,
                )
                ran.append(name)
            await connection.execute("COMMIT")
    return ran


async def _pending(pool: Pool) -> bool:
    async with pool.reading() as connection:
        if await connection.fetchval("SELECT to_regclass('log_aggregator_migrations')") is None:
            return True
        known = await connection.fetchval("SELECT coalesce(max(number), 0) FROM log_aggregator_migrations")
    return bool(known < max(number for number, _, _ in _scripts()))


def _scripts() -> list[tuple[int, str, str]]:
    found = [entry for entry in files(__package__).joinpath("migrations").iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name[:4]), entry.name, entry.read_text()) for entry in found)
