"""What is acknowledged and not yet stored, on disk: the intake of records and the outbox of flushes."""

from log_aggregator.journal.database import JournalError, open_journal, touch, used_bytes
from log_aggregator.journal.intake import Appended, Entry, Intake
from log_aggregator.journal.keys import automatic_key, client_key
from log_aggregator.journal.outbox import LaneState, Outbox, Waiting
from log_aggregator.journal.plugin_state import PluginState
from log_aggregator.journal.positions import ReaderPosition
from log_aggregator.journal.writer import Writer

__all__ = [
    "Appended",
    "Entry",
    "Intake",
    "JournalError",
    "LaneState",
    "Outbox",
    "PluginState",
    "ReaderPosition",
    "Waiting",
    "Writer",
    "automatic_key",
    "client_key",
    "open_journal",
    "touch",
    "used_bytes",
]
