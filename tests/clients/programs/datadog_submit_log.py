"""Datadog's API client: `submit_log` with all logs in one request."""

import logging

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem
from story import EXTRA, SOURCE, TARGET, Event, events


def item(event: Event) -> HTTPLogItem:
    return HTTPLogItem(
        message="\n".join(filter(None, (event.message, event.trace))),
        service=SOURCE,
        ddsource="python",
        ddtags=",".join(f"{name}:{value}" for name, value in EXTRA.items()),
        status=logging.getLevelName(event.level).lower(),
        timestamp=str(int(event.at * 1000)),
    )


# The second of its servers is "{protocol}://{name}".
server = {"protocol": "http", "name": TARGET["url"].partition("//")[2]}
configuration = Configuration(api_key={"apiKeyAuth": "any"}, server_index=1, server_variables=server)
with ApiClient(configuration) as client:
    LogsApi(client).submit_log(body=HTTPLog([item(event) for event in events()]))
