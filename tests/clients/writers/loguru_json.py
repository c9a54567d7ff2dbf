"""loguru with serialize=True: an object with `text` and `record`."""

from loguru import logger
from told import LOGS, story

logger.remove()
logger.add(LOGS, level="DEBUG", encoding="utf-8", serialize=True, diagnose=False)
logger = logger.patch(lambda record: record.update(name="shop.orders"))
story(
    lambda level, message, fields, error: (
        logger.opt(exception=error).bind(**fields).log({"WARN": "WARNING"}.get(level, level), message)
    ),
    {},
)
