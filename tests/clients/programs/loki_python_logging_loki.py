"""python-logging-loki: a request for each log, labels as tags."""

from logging_loki import LokiHandler
from story import EXTRA, SOURCE, TARGET, tell

url = f"{TARGET['url']}/loki/api/v1/push"
tell(LokiHandler(url, tags={"app": SOURCE}, version="1"), tags={name: str(value) for name, value in EXTRA.items()})
