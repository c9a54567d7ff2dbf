"""`send --follow` with a bug put in on purpose: the range is noted when the service has it, not before."""

from __future__ import annotations

import sys

from window import wait_to_be_killed

from log_aggregator.cli.main import main
from log_aggregator_client import Delivery
from log_aggregator_service.sending import follow
from log_aggregator_service.sending.place import PlaceFile
from log_aggregator_service.sending.tally import Tally


def hasty_range(target: Delivery, place: PlaceFile, one: follow.Range, tally: Tally) -> None:
    if one.logs:
        tally.add(target.send(one.logs, one.key), one.places)
    if place.of(one.name) is not None:  # after the first range, which the test waits for
        wait_to_be_killed()
    place.note(one.name, one.place, one.again)


follow.send_range = hasty_range
# A full range would be the same when it is read again, and have the same key.
sys.exit(main([*sys.argv[1:], "--batch", "100000"]))
