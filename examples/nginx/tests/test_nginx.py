"""The rules mean what they say."""

from __future__ import annotations

from typing import ClassVar

from log_aggregator_nginx import Nginx

from log_aggregator_dev import RulePackContract


class TestNginx(RulePackContract):
    examples: ClassVar[dict[str, str]] = {
        "2024/05/04 10:12:13 [error] 31#31: *4711 connect() failed (111: Connection refused) while connecting to "
        'upstream, client: 10.0.1.50, server: shop.example, request: "GET /cart?id=7 HTTP/1.1", '
        'upstream: "http://10.0.2.7:8080/cart?id=7", host: "shop.example"': "{TIME} [error] {WORKER}: {CONNECTION} "
        "connect() failed ({ID}: Connection refused) while connecting to upstream, client: {CLIENT}, "
        'server: shop.example, request: {REQUEST}, upstream: {UPSTREAM}, host: "shop.example"',
        '203.0.113.9 - - [04/May/2024:10:12:13 +0000] "GET /cart?id=7 HTTP/1.1" 200 5316 "https://shop.example/" '
        '"Mozilla/5.0 (X11; Linux x86_64)"': '{CLIENT} - - [{TIME}] "GET {PATH}" 200 {SIZE} {BROWSER}',
    }
    unchanged = ("the client was happy", "a request for help")

    def make_pack(self) -> Nginx:
        return Nginx(Nginx.Config())
