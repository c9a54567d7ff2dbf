"""What can be set in `[plugins.sqlite]`, and which environment variables give the defaults."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

FILE_NAME = "logs.sqlite3"


NEW_STORES_KEEP_DAYS = 365
"""Days after which a store that was made with this default deletes its rows, when nothing else is set."""


def _from_environment(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


def _set_or_not(name: str) -> int | None:
    return int(os.environ[name]) if os.environ.get(name) else None


class SqliteConfig(BaseModel):
    """Options of the embedded store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = Field(None, description=f"the database file; default: {FILE_NAME} in the data directory")
    retention_days: int | None = Field(
        default_factory=lambda: _set_or_not("RETENTION_DAYS"),
        ge=0,
        description="rows stored longer ago are deleted; 0: never. Default: RETENTION_DAYS, else "
        f"{NEW_STORES_KEEP_DAYS} in new files and never in files from before",
    )
    max_store_bytes: int = Field(
        default_factory=lambda: _from_environment("MAX_STORE_BYTES", 0),
        ge=0,
        description="the rows stored longest ago are deleted while the file holds more; 0: no limit. "
        "Default: MAX_STORE_BYTES",
    )
    rollup_days: int = Field(
        default_factory=lambda: _from_environment("ROLLUP_DAYS", 7),
        ge=0,
        description="buckets older than this become one row an hour; 0: never. Default: ROLLUP_DAYS, else 7",
    )
    details_hours: int = Field(
        default_factory=lambda: _from_environment("DETAILS_HOURS", 48),
        ge=0,
        description="metadata, variables and samples of rows older than this are kept once an hour, of rare patterns "
        "once a day; 0: in each row. Default: DETAILS_HOURS, else 48",
    )
    json_text: bool = Field(
        False,
        description="metadata, variables and sample_details of new rows as JSON text, for SQL of other programs: a row "
        "of ten metadata keys takes three times the room. Else they are deflated",
    )
    maintenance_seconds: float = Field(600.0, gt=0, description="pause between two looks for old rows")
    remembered_bytes: int = Field(
        8 * 1024 * 1024, ge=0, description="memory for rows written last, so that hot rows are not read back"
    )
    busy_timeout: float = Field(10.0, gt=0, description="seconds to wait for another program's lock on the file")
