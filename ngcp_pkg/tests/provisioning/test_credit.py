"""What the proxy learns of those who pay in advance, by an account that may read no more than it must."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from ngcp.provisioning.accounts import ACCOUNTS
from ngcp.provisioning.line import Line
from ngcp.provisioning.runtime import Directory, Name
from private_mariadb import Server
from provisioning.billed import VIENNA, Billed


@pytest.fixture
def billed(database: Server) -> Iterator[Billed]:
    database.run("CREATE OR REPLACE USER asker@localhost IDENTIFIED BY ''")
    database.run(*(f"GRANT {what} ON {where} TO asker@localhost" for where, what in GRANTS.items()))
    yield Billed(database)
    database.run("DROP USER asker@localhost")


GRANTS = ACCOUNTS["kamailio-proxy"]


class Asker:
    """The proxy's directory, for one question."""

    def __init__(self, billed: Billed) -> None:
        self.socket = billed.server.socket

    async def ask(self, what: str, *names: Name) -> object:
        line = Line(self.socket, "asker", 10.0)
        try:
            return await getattr(Directory(line), what)(names)
        finally:
            line.close()


def ask(billed: Billed, what: str, *names: Name) -> dict[Name, object]:
    found = asyncio.run(Asker(billed).ask(what, *names))
    assert isinstance(found, dict)
    return found


def test_who_pays_in_advance(billed: Billed) -> None:
    prepaid, postpaid = billed.profile(prepaid=1), billed.profile()
    names = []
    for user, profile in (("alice", prepaid), ("bob", postpaid)):
        customer = billed.customer(profile)
        billed.subscriber(customer, user)
        billed.server.run(
            "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid, timezone)"
            f" VALUES ('{user}', 'example.org', '', '', '', 'uuid-{user}', '')"
        )
        names.append(Name(user, "example.org"))

    found = ask(billed, "subscribers", *names)

    assert [getattr(found[name], "prepaid", 0) for name in names] == [prepaid, None]


def test_what_they_have_and_what_has_paid_for(billed: Billed) -> None:
    customer = billed.customer(billed.profile(prepaid=1, interval_free_cash="50", interval_free_time="30"))
    fresh = billed.customer(billed.profile(prepaid=1, interval_free_cash="70"))
    billed.server.run(
        "INSERT INTO billing.contract_balances (contract_id, cash_balance, free_time_balance, start, end)"
        f" VALUES ({customer}, 12.345678, 9, UTC_TIMESTAMP() - INTERVAL 1 DAY,"
        " UTC_TIMESTAMP() + INTERVAL 1 DAY)",
        "INSERT INTO accounting.prepaid_costs (contract_id, call_id, timestamp)"
        f" VALUES ({customer}, 'late', UTC_TIMESTAMP()), ({customer}, 'old', '2020-01-01')",
    )
    names = Name(str(customer), ""), Name(str(fresh), ""), Name("4000000", ""), Name("x", "")

    found = ask(billed, "credits", *names)

    assert {*found} == {*names[:2]}
    known = found[names[0]]
    assert getattr(known, "cash", 0) == Decimal("12.345678")
    assert getattr(known, "time", 0) == 9
    assert getattr(known, "paid", 0) == {"late"}
    assert getattr(known, "zone", 0) == VIENNA
    assert getattr(found[names[1]], "cash", 0) == 70


def test_what_calls_cost_them(billed: Billed) -> None:
    number = billed.profile("0.5/1 0.25/1", prepaid=1)

    (known,) = ask(billed, "tariffs", Name(str(number), "")).values()

    profile = getattr(known, "profile", None)
    assert profile is not None and profile.is_prepaid
    fee = profile.fees.find("out", "431", "49")
    assert fee.onpeak.follow == (Decimal("0.25"), 1)
