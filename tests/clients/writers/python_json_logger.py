"""python-json-logger: JSON of the standard library's records."""

import logging

from pythonjsonlogger.json import JsonFormatter
from told import LOGS, SOURCE, story

handler = logging.FileHandler(LOGS, encoding="utf-8")
handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
logger = logging.getLogger(SOURCE)
logger.setLevel(logging.DEBUG)
logger.addHandler(handler)
story(
    lambda level, message, fields, error: logger.log(
        logging.WARNING if level == "WARN" else getattr(logging, level), message, extra=fields, exc_info=error
    ),
    {},
)
