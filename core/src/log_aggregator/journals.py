"""What the author of a journal imports beside `log_aggregator`: the protocol, and records and flushes as bytes."""

from log_aggregator.errors import KeyReusedError
from log_aggregator.journal import (
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
    RowContent,
    SharedJournal,
    SharedPartition,
    Stand,
    SupersededError,
    TooLargeError,
    Waiting,
    decode_flush,
    decode_row,
    encode_aggregates,
    encode_flush,
)
from log_aggregator.journal import decode as decode_records
from log_aggregator.journal import encode as encode_records
from log_aggregator.model.aggregate import START

__all__ = [
    "START",
    "Appended",
    "Entry",
    "Identity",
    "Journal",
    "JournalError",
    "JournalPlace",
    "JournalPlugin",
    "KeyReusedError",
    "LaneState",
    "Partition",
    "ReaderPosition",
    "ReaderPositions",
    "RowContent",
    "SharedJournal",
    "SharedPartition",
    "Stand",
    "SupersededError",
    "TooLargeError",
    "Waiting",
    "decode_flush",
    "decode_records",
    "decode_row",
    "encode_aggregates",
    "encode_flush",
    "encode_records",
]
