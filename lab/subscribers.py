"""Provision over REST what a call needs: a domain, a customer, and a subscriber for each phone."""

import secrets
from typing import Final

from lab.rest import RestClient
from lab.settings import PHONES
from lab.sipp import Phone

#: The rows that every fresh database has: the provider itself, and the profile its customers are billed by.
RESELLER: Final = 1
BILLING_PROFILE: Final = 1


def provision(client: RestClient, addresses: tuple[str, ...] = PHONES[:2]) -> list[Phone]:
    """Make one subscriber for each address, of a new customer in a new domain; return their phones."""
    domain = f"{secrets.token_hex(4)}.example.org"
    client.create("domains", {"domain": domain, "reseller_id": RESELLER})
    customer = _customer(client, domain)
    return [_subscriber(client, customer, domain, address) for address in addresses]


def _customer(client: RestClient, domain: str) -> int:
    person = {"firstname": "Ada", "lastname": "Example", "email": f"ada@{domain}"}
    contact = client.create("customercontacts", {**person, "reseller_id": RESELLER})
    contract = {
        "contact_id": contact,
        "billing_profile_id": BILLING_PROFILE,
        "type": "sipaccount",
        "status": "active",
    }
    return client.create("customers", contract)


def _subscriber(client: RestClient, customer: int, domain: str, address: str) -> Phone:
    """Make a subscriber with an own number: its alias."""
    number = {"cc": "43", "ac": "1", "sn": str(10**8 + secrets.randbelow(9 * 10**8))}
    phone = Phone(
        user=f"user{secrets.token_hex(3)}",
        domain=domain,
        password=secrets.token_urlsafe(12),
        address=address,
        alias="".join(number.values()),
    )
    account = {"username": phone.user, "domain": domain, "password": phone.password}
    client.create("subscribers", {**account, "customer_id": customer, "primary_number": number})
    return phone
