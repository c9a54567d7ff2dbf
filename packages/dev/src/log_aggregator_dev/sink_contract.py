"""The whole suite for sinks, as one class."""

from __future__ import annotations

from log_aggregator_dev.sink_delivery import DeliveryChecks
from log_aggregator_dev.sink_endings import EndingChecks
from log_aggregator_dev.sink_repetition import RepetitionChecks


class SinkContract(DeliveryChecks, RepetitionChecks, EndingChecks):
    """Everything that the service expects of a sink. Inherit, say how the sink is made, and run pytest:

        class TestMySink(SinkContract):
            def make_sink(self, directory):
                return MySink(MySink.Config(path=directory / "logs"))

            async def read_back(self, opened):
                return {...}  # pattern → count, as it is stored

    A sink that registers a store needs no `read_back`. `exactly_once = False` says that a repeated
    flush may count again. `outage` makes the store unreachable for the checks that want it so.
    """
