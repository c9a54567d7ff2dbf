"""The whole suite for journals, as one class."""

from __future__ import annotations

from log_aggregator_dev.journal_intake import IntakeChecks
from log_aggregator_dev.journal_outbox import OutboxChecks


class JournalContract(IntakeChecks, OutboxChecks):
    """Everything that the service expects of a journal. Inherit, say how it is opened, and run pytest:

        class TestMyJournal(JournalContract):
            def make_journal(self, directory):
                return open_my_journal(directory)  # an async context manager

    `crash` says where the journal opens after a kill: without it, in a copy of the directory. `lose` and `forget`
    damage a closed journal, for the checks that want it so; they are skipped without.
    """
