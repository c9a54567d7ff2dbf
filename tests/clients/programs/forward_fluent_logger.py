"""fluent-logger: the handler for logging, times in nanoseconds."""

from fluent.handler import FluentHandler, FluentRecordFormatter
from story import EXTRA, SOURCE, TARGET, tell

handler = FluentHandler(SOURCE, host="127.0.0.1", port=TARGET["forward"], nanosecond_precision=True)
names = {"level": "%(levelname)s", "region": "%(region)s", "attempt": "%(attempt)d"}
handler.setFormatter(FluentRecordFormatter(names))
tell(handler, **EXTRA)
