"""What the built-in rules make of messages."""

from __future__ import annotations

import pytest

from log_aggregator_patterns import RuleSet, builtin_rules, danger
from log_aggregator_patterns.digits import relaxed

RULES = RuleSet(builtin_rules())

CASES = [
    ("User 123 logged in", "User {ID} logged in"),
    ("Query took 0.05s", "Query took {TIME}s"),
    ("Error: File not found: /path/file.txt", "Error: File not found: {PATH}"),
    ("at 2024-01-02T03:04:05.123Z done", "at {TIME} done"),
    ("2024-01-02 03:04:05,123 +0100 x", "{TIME} x"),
    ("Jan  2 03:04:05 began", "{TIME} began"),
    ("Sun, 06 Nov 1994 08:49:37 GMT", "{TIME}"),
    ("[10/Oct/2000:13:55:36 -0700] x", "[{TIME}] x"),
    ("17/06/09 20:10:40 x", "{TIME} x"),
    ("uptime 00:01:02, at 10:20 AM", "uptime {TIME}, at {TIME}"),
    ("key 550e8400-e29b-41d4-a716-446655440000.", "key {UUID}."),
    ("from 10.0.0.1 to 10.0.0.2:8080", "from {IP} to {IP}"),
    ("net 10.0.0.0/8 up", "net {IP} up"),
    ("on [::1]:443, fe80::1%eth0, 1:2:3:4:5:6:7:8", "on {IP}, {IP}, {IP}"),
    ("std::vector and a::b", "std::vector and a::b"),
    ("mac 00:1B:44:11:3a:B7 and 00-1b-44-11-3a-b7", "mac {MAC} and {MAC}"),
    ("mail from bob.x+y@example.org", "mail from {EMAIL}"),
    ("see https://example.org/a?b=1#c, please", "see {URL}, please"),
    ("db.example.org:5432 refused", "{HOST} refused"),
    ("node-12.internal gone", "{HOST} gone"),
    ("main.py:42 raised", "main.py:{ID} raised"),
    ("java.lang.NullPointerException: x", "java.lang.NullPointerException: x"),
    ("open C:\\Windows\\a.dll and \\\\srv\\share\\f.txt", "open {PATH} and {PATH}"),
    ("cd ~/a/b and ./c.sh and src/main.c", "cd {PATH} and {PATH} and {PATH}"),
    ("either/or, read/write", "either/or, read/write"),
    ("at 0x7fff5694dc58", "at {HEX}"),
    ("deadbeef 1a2b3c4d", "{HEX} {HEX}"),
    ("d41d8cd98f00b204e9800998ecf8427e", "{HASH}"),
    ("in 12 ms, 3 seconds, 1.5h, 250us", "in {TIME} ms, {TIME} seconds, {TIME}h, {TIME}us"),
    ("for 1h2m3s, <1 sec", "for {TIME}, {TIME}"),
    ("12KB, 3.5 MB, 20 bytes, 1024 bytes (1.0 KB)", "{SIZE}, {SIZE}, {SIZE}, {SIZE}"),
    ("-17 of 1,234,567 is 12.5%", "{NUM} of {NUM} is {NUM}%"),
    ("v2.0.1, blk_-123, node-12, worker7", "{ID}, {ID}, {ID}, {ID}"),
    ("no user 'bob' in \"big list\"", "no user 'bob' in \"big list\""),
    (f'sent "{"x y " * 50}" and stopped', 'sent "{STR}" and stopped'),
    ("it's the user's", "it's the user's"),
    ('{"user": "bob", "n": 5}', '{"user": "bob", "n": {ID}}'),
    ('"GET /a/1.html?x=2 HTTP/1.1" 200', '"GET {PATH}" 200'),
    ("DELETE /v2/carts/17 503 12ms", "DELETE {PATH} 503 {TIME}ms"),
    ('answered "403 Forbidden" to call 403', 'answered "403 Forbidden" to call {ID}'),
    ("worker 4 died: exit code 139", "worker {ID} died: exit code 139"),
    ("worker 4 exited with 1 after 3 s", "worker {ID} exited with 1 after {TIME} s"),
    ("box 7 exited (137)", "box {ID} exited (137)"),
    ("Provider answered 500", "Provider answered 500"),
    ("peer 3 replied 550 mailbox full", "peer {ID} replied 550 mailbox full"),
    ("query returned 512 rows", "query returned {ID} rows"),
    ("received 500 orders", "received {ID} orders"),
    ("ERROR 1045 (28000): denied", "ERROR 1045 ({ID}): denied"),
    ("error 12 of 30 tests", "error {ID} of {ID} tests"),
    ("job 5 ended, code=exited, status=203/EXEC", "job {ID} ended, code=exited, status=203/EXEC"),
    ("fetch GET 404 https://example.org/a 12ms", "fetch GET 404 {URL} {TIME}ms"),
    ("speaks HTTP/2 on port 80, TLS 1.3", "speaks HTTP/2 on port {ID}, TLS 1.3"),
    ("request 7 failed with E1001, W0613", "request {ID} failed with E1001, W0613"),
    ('peers []string{"n1", "n2"} of map[a:1 b:2] gone', "peers {LIST} of {LIST} gone"),
    ('saved "/home/anna/My Files/a.txt" and "./b c"', 'saved "{PATH}" and "{PATH}"'),
    ("using flask==3.0.0, npm@11.19.1, @types/node@20.1.0-rc.1", "using {ID}, {ID}, {ID}"),
    ("ssh root@10.0.0.1 ended", "ssh root@{IP} ended"),
    ("unpacked (1.2.3-4+deb12u1) over (2:1.0~rc1-1)", "unpacked ({NUM}) over ({NUM})"),
    ("app 2.0.0-SNAPSHOT with a 5.5-inch screen", "app {NUM} with a {NUM}-inch screen"),
    ("SELECT a FROM t WHERE b IN (1, 2) AND c in (?, ?)", "SELECT a FROM t WHERE b IN ({LIST}) AND c in ({LIST})"),
    ("INSERT INTO t (a) VALUES (4, 'it''s'), (5, 'b')", "INSERT INTO t (a) VALUES ({LIST})"),
    ("USER=root ; COMMAND=/bin/ls -l /etc", "USER=root ; COMMAND={COMMAND}"),
    ("(root) CMD (php /srv/cron.php)", "(root) CMD ({COMMAND})"),
    ("ORA-01555: snapshot 12 too old", "ORA-01555: snapshot {ID} too old"),
    ("read 3 rows as utf16 over IPv6 from ens3", "read {ID} rows as utf16 over IPv6 from ens3"),
    ("saved caf\\u00e9 7 times", "saved caf\\u00e9 {ID} times"),
    ("at 20260102T150405Z", "at {TIME}"),
    ("due 2026-03-01 10:00:00 CET", "due {TIME}"),
    ("due Tue Feb 03 2026 04:05:00 GMT+0000 (Coordinated Universal Time), 3", "due {TIME}, {ID}"),
    ("until Monday, 02-Jan-26 15:04:05 GMT", "until {TIME}"),
    ("at datetime.datetime(2026, 6, 24, 18, 6)", "at {TIME}"),
    ("after PT2H, P1DT5S, 3 days, 4:05:06", "after {TIME}, {TIME}, {TIME}"),
    ("hits=5 min=3 bytes=7 ms=2", "hits={ID} min={ID} bytes={ID} ms={ID}"),
    ("12.1V, 50Hz, 21.5 °C, 300Mbps, -67 dBm", "{NUM}V, {NUM}Hz, {NUM} °C, {NUM}Mbps, {NUM} dBm"),
    ("1.299,00 paid, 12,345.67 left", "{NUM} paid, {NUM} left"),
    ("key1=5 line_12=7", "key1={ID} line_{ID}={ID}"),
    ("table orders_2024_11 gone", "table orders_{ID} gone"),
    ("token SGVsbG8gd29ybGQ= and dXNlcg==", "token {ID} and {ID}"),
    ("用户42登录失败", "用户{ID}登录失败"),
    ("\u0661\u0662\u0663 rows", "{ID} rows"),
    ("md5sum(x) failed", "md5sum(x) failed"),
    ("nothing to mask here", "nothing to mask here"),
    ("", ""),
]


@pytest.mark.parametrize(("message", "pattern"), CASES, ids=[case[0][:40] or "empty" for case in CASES])
def test_messages_are_masked(message: str, pattern: str) -> None:
    assert RULES.mask(message) == pattern


def test_a_pattern_has_no_digits_left_but_in_the_names_of_calls() -> None:
    masked = RULES.mask("a1 1b 2-3 4_5 x.6 7%8 (9) \u0660 12 f1g() f12() 0\n1")
    assert masked == "{ID} {ID} {ID} {ID} x.{ID} {NUM}%{ID} ({ID}) {ID} {ID} f1g() {ID}() {ID}\n{ID}"


def test_no_builtin_rule_tells_digits_apart() -> None:
    assert [rule.name for rule in builtin_rules() if relaxed(rule.regex) is not None] == []


@pytest.mark.parametrize("rule", builtin_rules(), ids=lambda rule: rule.name)
def test_every_builtin_rule_is_safe(rule: object) -> None:
    assert danger(rule.regex) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", [rule for rule in builtin_rules() if rule.gate], ids=lambda rule: rule.name)
def test_a_gate_lets_everything_through_that_its_rule_takes(rule: object) -> None:
    """Without its gate a rule finds nothing more in any of the cases."""
    open_rule = rule.model_copy(update={"gate": ()})  # type: ignore[attr-defined]
    for message, _ in CASES:
        assert RuleSet([rule]).explain(message) == RuleSet([open_rule]).explain(message)  # type: ignore[list-item]


def test_explain_names_the_rule_of_every_span() -> None:
    message = "Query 7 took 0.05s"
    found = [(span.rule, message[span.start : span.end], span.placeholder) for span in RULES.explain(message)]
    assert found == [("digits", "7", "{ID}"), ("duration", "0.05", "{TIME}")]
