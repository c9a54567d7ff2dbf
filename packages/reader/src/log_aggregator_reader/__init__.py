"""Log files as they are: compressed, rotated, followed, with records of several lines. Needs no part of the service."""

from log_aggregator_reader.follower import Follower, matches
from log_aggregator_reader.generation import Limits
from log_aggregator_reader.joining import Record
from log_aggregator_reader.journald import Entry, Journal
from log_aggregator_reader.quick import quick_records
from log_aggregator_reader.rotation import is_rotation_of, without_rotations
from log_aggregator_reader.tail import Piece
from log_aggregator_reader.whole import IDLE, Input, records

__all__ = [
    "IDLE",
    "Entry",
    "Follower",
    "Input",
    "Journal",
    "Limits",
    "Piece",
    "Record",
    "is_rotation_of",
    "matches",
    "quick_records",
    "records",
    "without_rotations",
]
