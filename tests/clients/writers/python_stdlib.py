"""logging of the standard library, with the format of its documentation."""

import logging

from told import LOGS, SOURCE, story

LEVELS = {"WARN": logging.WARNING}
logging.basicConfig(
    filename=LOGS,
    level=logging.DEBUG,
    encoding="utf-8",
    format="%(asctime)s %(levelname)s %(name)s: %(message)s",
)
logger = logging.getLogger(SOURCE)
story(
    lambda level, message, fields, error: logger.log(
        LEVELS.get(level) or getattr(logging, level), message, extra=fields, exc_info=error
    ),
    {},
)
