"""What is acknowledged and not yet stored: the intake of records and the outbox of flushes.

The service uses what stands here and in `protocol`; what the embedded journal is made of stays in this folder.
"""

from log_aggregator.journal.keys import automatic_key, client_key
from log_aggregator.journal.local import SqlitePlugin, claim, sqlite_journal
from log_aggregator.journal.plugin_state import PluginState
from log_aggregator.journal.protocol import (
    MERGE_AT,
    Appended,
    Entry,
    Identity,
    Journal,
    JournalError,
    JournalPlace,
    JournalPlugin,
    LaneState,
    Partition,
    ReaderPosition,
    ReaderPositions,
    SharedJournal,
    SharedPartition,
    Stand,
    SupersededError,
    TooLargeError,
    Waiting,
    shared,
)
from log_aggregator.journal.rows import (
    RowContent,
    decode,
    decode_flush,
    decode_row,
    encode,
    encode_aggregates,
    encode_flush,
    writable,
)

__all__ = [
    "MERGE_AT",
    "Appended",
    "Entry",
    "Identity",
    "Journal",
    "JournalError",
    "JournalPlace",
    "JournalPlugin",
    "LaneState",
    "Partition",
    "PluginState",
    "ReaderPosition",
    "ReaderPositions",
    "RowContent",
    "SharedJournal",
    "SharedPartition",
    "SqlitePlugin",
    "Stand",
    "SupersededError",
    "TooLargeError",
    "Waiting",
    "automatic_key",
    "claim",
    "client_key",
    "decode",
    "decode_flush",
    "decode_row",
    "encode",
    "encode_aggregates",
    "encode_flush",
    "shared",
    "sqlite_journal",
    "writable",
]
