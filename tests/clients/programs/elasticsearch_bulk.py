"""The Python client of Elasticsearch: `helpers.bulk` with documents as ECS names their fields."""

import logging
from datetime import UTC, datetime

from elasticsearch import Elasticsearch, helpers
from story import EXTRA, SOURCE, TARGET, Event, events


def document(event: Event) -> dict:
    told = {
        "_index": "logs-shop",
        "_op_type": "create",
        "@timestamp": datetime.fromtimestamp(event.at, UTC),
        "message": event.message,
        "log.level": logging.getLevelName(event.level).lower(),
        "service": {"name": SOURCE},
        **EXTRA,
    }
    return told | ({"error": {"stack_trace": event.trace}} if event.error else {})


client = Elasticsearch(f"{TARGET['url']}/elasticsearch")
done, failed = helpers.bulk(client, map(document, events()), chunk_size=10)
assert done == 26, done
assert not failed, failed
