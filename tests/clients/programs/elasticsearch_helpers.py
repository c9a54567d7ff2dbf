"""The other helpers of Elasticsearch's Python client: `streaming_bulk` with ids, `parallel_bulk` in several threads."""

import logging
import sys
from datetime import UTC, datetime

from elasticsearch import Elasticsearch, helpers
from story import EXTRA, SOURCE, TARGET, Event, events


def document(event: Event) -> dict:
    told = {
        "@timestamp": datetime.fromtimestamp(event.at, UTC),
        "message": event.message,
        "log": {"level": logging.getLevelName(event.level).lower()},
        "service": {"name": SOURCE},
        **EXTRA,
    }
    return told | ({"error": {"stack_trace": event.trace}} if event.error else {})


client = Elasticsearch(f"{TARGET['url']}/elasticsearch", http_compress=True)
documents = [{"_index": "logs-shop", "_source": document(event)} for event in events()]
if sys.argv[2] == "streaming":
    named = ({"_id": f"{TARGET['word']}-{number}", **one} for number, one in enumerate(documents))
    done = list(helpers.streaming_bulk(client, named, chunk_size=7))
else:
    done = list(helpers.parallel_bulk(client, documents, thread_count=3, chunk_size=4))
assert len(done) == 26, done
assert all(ok for ok, _ in done), done
client.indices.refresh(index="logs-shop")
