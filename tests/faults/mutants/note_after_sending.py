"""`send --follow` with a bug put in on purpose: the range is noted when the service has it, not before."""

from __future__ import annotations

import sys
import time

from log_aggregator.cli.main import main
from log_aggregator_client import Delivery
from log_aggregator_service.sending import follow
from log_aggregator_service.sending.place import PlaceFile
from log_aggregator_service.sending.tally import Tally


def hasty_range(target: Delivery, place: PlaceFile, one: follow.Range, tally: Tally) -> None:
    if one.logs:
        tally.add(target.send(one.logs, one.key), one.places)
    time.sleep(0.5)  # a very slow disk: a few kills are enough to hit the window
    place.note(one.name, one.place, one.again)


follow.send_range = hasty_range
sys.exit(main())
