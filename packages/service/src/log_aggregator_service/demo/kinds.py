"""Which logs the made-up shop writes: one entry a place in its programs that logs."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One place in a program that logs. `text` holds fields of `values.DRAW` in braces; so does `metadata`."""

    source: str
    level: str
    weight: float
    text: str
    metadata: tuple[str, ...] = ()


_TRACE = """Unhandled exception while handling request {uuid}
Traceback (most recent call last):
  File "/srv/shop/app/orders.py", line 214, in confirm
    receipt = self.billing.charge(order, timeout=3.0)
  File "/srv/shop/app/billing.py", line 88, in charge
    return self._post("/charges", order.total)
ConnectionResetError: [Errno 104] Connection reset by peer"""

KINDS: tuple[Kind, ...] = (
    Kind("web", "INFO", 300, '{ip} "GET {page} HTTP/1.1" 200 {bytes} {ms}ms', ("region", "agent")),
    Kind("web", "INFO", 60, '{ip} "POST {page} HTTP/1.1" 201 {bytes} {ms}ms', ("region", "agent")),
    Kind("web", "INFO", 40, '{ip} "GET {page} HTTP/1.1" 304 0 {ms}ms', ("region",)),
    Kind("web", "WARN", 12, '{ip} "GET {page} HTTP/1.1" 404 {bytes} {ms}ms', ("region",)),
    Kind("web", "WARN", 4, "Slow request {uuid}: {slow} ms for {page}", ("region",)),
    Kind("web", "ERROR", 0.8, _TRACE, ("region",)),
    Kind("auth", "INFO", 60, "User {user} logged in from {ip}", ("user", "ip", "session")),
    Kind("auth", "INFO", 45, "Session {session} renewed for user {user}", ("user",)),
    Kind("auth", "INFO", 20, "User {user} logged out", ("user",)),
    Kind("auth", "WARN", 8, "Failed password for {email} from {ip} port {port}", ("ip", "attempt")),
    Kind("auth", "WARN", 1, "Account of user {user} locked after {attempt} failed attempts", ("user",)),
    Kind("auth", "DEBUG", 30, "Token {uuid} verified in {ms} ms"),
    Kind("database", "DEBUG", 120, "Query took {seconds}s, {rows} rows", ("rows", "seconds")),
    Kind("database", "INFO", 8, "Checkpoint complete: wrote {rows} buffers in {seconds}s"),
    Kind("database", "WARN", 5, "Slow query ({slow} ms): SELECT * FROM orders WHERE customer_id = {user}", ("slow",)),
    Kind("database", "WARN", 1, "Connection pool at {percent}% of its size", ("percent",)),
    Kind("database", "ERROR", 0.5, "Deadlock detected: process {pid} waits for transaction {rows}", ("pid",)),
    Kind("payment", "INFO", 40, "Payment of {amount} {currency} for order {order} authorized", ("order", "amount")),
    Kind("payment", "INFO", 34, "Order {order} captured in {ms} ms", ("order", "ms")),
    Kind("payment", "WARN", 2, "Card declined for order {order}: insufficient funds", ("order",)),
    Kind("payment", "ERROR", 0.5, "Provider answered 500 for order {order}, attempt {attempt} of 5", ("order",)),
    Kind("scheduler", "INFO", 15, "Job cleanup-sessions finished in {seconds}s", ("seconds",)),
    Kind("scheduler", "INFO", 10, "Job send-invoices started, run {uuid}"),
    Kind("scheduler", "INFO", 6, "Wrote report /var/lib/shop/reports/2026/{order}.pdf ({bytes} bytes)", ("bytes",)),
    Kind("scheduler", "ERROR", 0.3, "Job sync-stock failed: file not found: /srv/import/{hash}.csv"),
    Kind("mail", "INFO", 25, "Mail {uuid} delivered to {email} in {seconds}s", ("seconds",)),
    Kind("mail", "WARN", 2, "Mail {uuid} deferred: mailbox of {email} is full", ("attempt",)),
)
"""What a day without trouble looks like. `weight` is the share of all logs, as a ratio."""

INCIDENT: tuple[Kind, ...] = (
    Kind("payment", "ERROR", 60, "Provider timeout after {slow} ms for order {order}", ("order", "slow", "region")),
    Kind("payment", "ERROR", 25, "Provider answered 500 for order {order}, attempt {attempt} of 5", ("order",)),
    Kind("payment", "CRITICAL", 2, "Circuit to payment provider open, {rows} orders waiting", ("rows",)),
    Kind("web", "ERROR", 20, '{ip} "POST /api/orders HTTP/1.1" 502 {bytes} {slow}ms', ("region",)),
    Kind("web", "ERROR", 3, _TRACE, ("region",)),
)
"""What comes on top while the payment provider is down."""
