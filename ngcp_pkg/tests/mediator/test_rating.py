"""The mediator rates what it has stored, and tells the proxies whom that locks."""

import asyncio
from collections.abc import Collection

import pytest

from ngcp.mediator.rating import RatingDesk
from ngcp.provisioning.engine import connect
from ngcp.provisioning.rating.rater import Rater
from ngcp.service.forgetting import tell_proxies
from private_mariadb import Server
from provisioning.billed import Billed, unix

NOON = "2026-03-10 12:00:00"
NOW = float(unix(NOON)) + 600


def work(billed: Billed, most: int) -> tuple[RatingDesk, list[Collection[str]]]:
    told: list[Collection[str]] = []

    async def tell(changed: Collection[str]) -> None:
        told.append(changed)

    async def run() -> RatingDesk:
        engine = connect(billed.server.socket, billed.server.user, 20.0)
        try:
            desk = RatingDesk(Rater(engine, most), tell)
            assert not await desk.work(NOW)
            return desk
        finally:
            await engine.dispose()

    return asyncio.run(run()), told


def test_everything_is_rated(database: Server) -> None:
    billed = Billed(database)
    customer = billed.customer(billed.profile(fraud_daily_limit=1, fraud_daily_lock=2))
    billed.subscriber(customer, "alice")
    for _ in range(7):
        billed.call(customer, NOON, 60)
    billed.call(billed.customer(billed.profile(None)), NOON, 60)

    desk, told = work(billed, 3)

    assert desk.statistics == {"calls.rated": 7, "calls.rating_failed": 1}
    assert told == [{"alice@example.org"}]
    statuses = "SELECT rating_status, COUNT(*) FROM accounting.cdr GROUP BY rating_status ORDER BY 1"
    assert database.run(statuses) == [("ok", 7), ("failed", 1)]


def test_a_proxy_that_is_down_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(tell_proxies(["http://127.0.0.1:9/RPC2"], {"alice@example.org"}))

    assert "http://127.0.0.1:9/RPC2" in caplog.text
