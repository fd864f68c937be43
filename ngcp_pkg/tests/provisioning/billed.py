"""Customers with billing profiles, and call records, in a real database."""

import itertools
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from private_mariadb import Server

VIENNA = ZoneInfo("Europe/Vienna")
CALL_IDS = itertools.count(1)


def unix(text: str) -> Decimal:
    """Return when the clock in Vienna shows that."""
    return Decimal(str(datetime.fromisoformat(text).replace(tzinfo=VIENNA).timestamp()))


class Billed:
    """The provider, charged nothing, and what a test adds."""

    def __init__(self, server: Server) -> None:
        self.server = server
        ((self.reseller, self.contact),) = server.run(
            "UPDATE billing.contacts SET timezone = 'Europe/Vienna'",
            "SELECT r.contract_id, c.contact_id FROM billing.resellers r"
            " JOIN billing.contracts c ON c.id = r.contract_id",
        )

    def _insert(self, table: str, **values: object) -> int:
        columns = ", ".join(f"`{name}`" for name in values)
        literals = ", ".join("NULL" if one is None else _quoted(one) for one in values.values())
        ((number,),) = self.server.run(
            f"INSERT INTO {table} ({columns}) VALUES ({literals})", "SELECT LAST_INSERT_ID()"
        )
        return int(str(number))

    def profile(self, fee: str | None = "1/60 1/60", **values: object) -> int:
        """Make a profile; `fee` is what calls to anywhere cost."""
        name = f"p{next(CALL_IDS)}"
        number = self._insert("billing.billing_profiles", reseller_id=1, handle=name, name=name, **values)
        if fee:
            self.fee(number, fee)
        return number

    def fee(self, profile: int, rates: str, **values: object) -> int:
        """Add a fee: `rate/interval rate/interval`."""
        (init, first), (follow, others) = (one.split("/") for one in rates.split())
        columns = {
            f"{time}_{part}": value
            for time in ("onpeak", "offpeak")
            for part, value in (
                ("init_rate", init),
                ("init_interval", first),
                ("follow_rate", follow),
                ("follow_interval", others),
            )
        }
        return self._insert(
            "billing.billing_fees",
            **{"billing_profile_id": profile, "destination": ".", **columns, **values},
        )

    def customer(self, profile: int, *, product: str = "SIP_ACCOUNT", **values: object) -> int:
        """Make a contract that is charged by a profile."""
        ((sold,),) = self.server.run(f"SELECT id FROM billing.products WHERE handle = '{product}'")
        contact = self._insert("billing.contacts", reseller_id=1)
        number = self._insert(
            "billing.contracts", **{"contact_id": contact, "product_id": sold, "status": "active", **values}
        )
        self._insert("billing.billing_mappings", contract_id=number, billing_profile_id=profile)
        return number

    def subscriber(self, contract: int, name: str) -> int:
        """Make a subscriber, of whom the proxy has a copy."""
        self.server.run(
            "INSERT IGNORE INTO billing.domains (id, domain, reseller_id) VALUES (7, 'example.org', 1)",
            "INSERT IGNORE INTO provisioning.voip_domains (id, domain) VALUES (7, 'example.org')",
        )
        identity = {"uuid": f"uuid-{name}", "username": name, "domain_id": 7}
        self._insert("provisioning.voip_subscribers", password="x", **identity)
        return self._insert("billing.voip_subscribers", contract_id=contract, **identity)

    def call(self, contract: int, start: str | Decimal, seconds: float, **values: object) -> int:
        """Write the record of a call to a stranger."""
        row = {
            "source_user_id": f"u{contract}",
            "source_provider_id": self.reseller,
            "source_account_id": contract,
            "source_user": "alice",
            "source_domain": "example.org",
            "source_cli": "431001",
            "destination_user_id": "0",
            "destination_provider_id": 0,
            "destination_account_id": 0,
            "destination_user": "49301",
            "destination_domain": "elsewhere.example",
            "destination_user_dialed": "49301",
            "destination_user_in": "49301",
            "destination_domain_in": "elsewhere.example",
            "call_status": "ok",
            "call_code": "200",
            "init_time": 0,
            "start_time": unix(start) if isinstance(start, str) else start,
            "duration": seconds,
            "call_id": f"call{next(CALL_IDS)}",
        }
        return self._insert("accounting.cdr", **row | values)

    def balances(self, contract: int) -> list[tuple[object, ...]]:
        """Return cash, what calls cost, free time and what was used of it, interval by interval."""
        return self.server.run(
            "SELECT cash_balance, cash_balance_interval, free_time_balance, free_time_balance_interval"
            f" FROM billing.contract_balances WHERE contract_id = {contract} ORDER BY start"
        )

    def cost(self, cdr: int, what: str = "source_customer_cost") -> object:
        """Return what a call record says."""
        return self.server.run(f"SELECT {what} FROM accounting.cdr WHERE id = {cdr}")[0][0]


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
