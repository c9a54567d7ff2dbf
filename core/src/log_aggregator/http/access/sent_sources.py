"""What of the aggregates that another service sends may pass, by its API key, its client and their sources."""

from __future__ import annotations

import msgspec

from log_aggregator.http.access.quota import refused_now
from log_aggregator.model.fields.lenient import source_of
from log_aggregator.model.record import Record
from log_aggregator.model.sent_aggregates import SentAggregates


def passing_aggregates(sent: SentAggregates) -> tuple[SentAggregates, list[int], dict[int, str]]:
    """The aggregates that may pass, their places in what was sent, and why the others may not, by place.

    Raises `Problem` when none may.
    """
    # The guards may change a source later, as they do those of logs; the folded one is what a key is bound to.
    asked = [Record("", "INFO", source_of(one.source), 0, {}, weight=one.count) for one in sent.aggregates]
    refused = refused_now(asked)
    places = [place for place in range(len(asked)) if place not in refused]
    kept = [msgspec.structs.replace(sent.aggregates[place], source=asked[place].source) for place in places]
    return msgspec.structs.replace(sent, aggregates=tuple(kept)), places, refused
