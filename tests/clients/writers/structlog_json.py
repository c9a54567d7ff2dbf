"""structlog as its documentation sets up production: JSON, ISO times, tracebacks as text."""

import structlog
from told import LOGS, SOURCE, story

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
    logger_factory=structlog.WriteLoggerFactory(file=LOGS.open("w", encoding="utf-8")),
)
logger = structlog.get_logger().bind(logger=SOURCE)
story(
    lambda level, message, fields, error: getattr(logger, {"WARN": "warning"}.get(level, level.lower()))(
        message, exc_info=error, **fields
    ),
    {},
)
