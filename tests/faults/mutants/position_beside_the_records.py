"""The service with a bug put in on purpose: the file receiver writes its position after the records, not with them."""

from __future__ import annotations

import asyncio
import sys

from window import wait_to_be_killed

from log_aggregator import Record, Service
from log_aggregator.cli.main import main
from log_aggregator.receivers import ingest_when_possible
from log_aggregator_files import FilesReceiver


async def hasty_ingest(
    self: FilesReceiver, service: Service, records: list[Record], position: tuple[str, bytes]
) -> None:
    await ingest_when_possible(service, records)
    await asyncio.to_thread(wait_to_be_killed)
    await ingest_when_possible(service, [], position=position)


FilesReceiver._ingest = hasty_ingest  # type: ignore[method-assign]  # a mutant
sys.exit(main())
