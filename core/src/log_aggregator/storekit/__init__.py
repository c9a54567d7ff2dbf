"""What every store of aggregates needs and none should write twice: columns, merging, aliases, questions.

A sink that keeps aggregates in a database may import from here. Nothing here knows a database: SQL
that differs between databases comes from the sink as a `Dialect`.
"""

from log_aggregator.storekit.aliases import Resolved, changed_aliases, resolve_aliases, touched_ids
from log_aggregator.storekit.columns import Columns, changed_columns, group_key, stored_aggregate
from log_aggregator.storekit.cursor import CursorError, read_cursor, write_cursor
from log_aggregator.storekit.dialect import Dialect, Where
from log_aggregator.storekit.memory import MemoryAnswers, is_of
from log_aggregator.storekit.notes import Statement, Write
from log_aggregator.storekit.on_call import OnCallQuestions
from log_aggregator.storekit.pieces import Pieces, pieces
from log_aggregator.storekit.poison import clean_aggregate, clean_value, is_storable, pack_aggregate, unpack_aggregate
from log_aggregator.storekit.questions import Questions
from log_aggregator.storekit.rollup import RolledUp, StoredRow, roll_up
from log_aggregator.storekit.rows import Row, rows_of
from log_aggregator.storekit.states import States
from log_aggregator.storekit.totals import Fetch

__all__ = [
    "Columns",
    "CursorError",
    "Dialect",
    "Fetch",
    "MemoryAnswers",
    "OnCallQuestions",
    "Pieces",
    "Questions",
    "Resolved",
    "RolledUp",
    "Row",
    "Statement",
    "States",
    "StoredRow",
    "Where",
    "Write",
    "changed_aliases",
    "changed_columns",
    "clean_aggregate",
    "clean_value",
    "group_key",
    "is_of",
    "is_storable",
    "pack_aggregate",
    "pieces",
    "read_cursor",
    "resolve_aliases",
    "roll_up",
    "rows_of",
    "stored_aggregate",
    "touched_ids",
    "unpack_aggregate",
    "write_cursor",
]
