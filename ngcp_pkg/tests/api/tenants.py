"""Two resellers with everything they can have, and a body for whatever can be made over REST."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from api.conftest import SHOW, Api

PASSWORD = "s3cret-pw"
Body = dict[str, object]


@dataclass
class Tenant:
    """A reseller, with an administrator, a customer, and subscribers of whom one is the customer's own."""

    api: Api
    name: str

    def __post_init__(self) -> None:
        api, name = self.api, self.name
        contact = api.make("systemcontacts", email=f"{name}@example.org")["id"]
        contract = api.make("contracts", contact_id=contact, type="reseller")["id"]
        self.reseller = api.make("resellers", contract_id=contract, name=name)["id"]
        self.admin = self._admin(f"{name}-admin")
        self.domain = api.make("domains", domain=f"{name}.test", reseller_id=self.reseller)["id"]
        self.contact = api.make("customercontacts", email="c@example.org", reseller_id=self.reseller)["id"]
        self.customer = api.make("customers", contact_id=self.contact)["id"]
        self.subscriber = self._subscriber("sub", 1)
        self.other_subscriber = self._subscriber("boss", 2)
        self.made: dict[str, int] = {}
        """Numbers of entities by resource."""

    def _admin(self, login: str) -> tuple[str, str]:
        given = {"password": PASSWORD, "reseller_id": self.reseller, "role": "reseller", "is_master": True}
        self.api.make("admins", login=login, **given)
        return login, PASSWORD

    def _subscriber(self, username: str, number: int) -> int:
        sn = f"{number}{'1' if self.name == 'red' else '2'}"
        made = self.api.subscriber(
            username,
            self.customer,
            domain=f"{self.name}.test",
            webusername=f"{username}-{self.name}",
            webpassword=PASSWORD,
            administrative=username == "boss",
            primary_number={"cc": "43", "ac": "720", "sn": sn},
        )
        return int(made["id"])

    def login(self, role: str) -> tuple[str, str]:
        """Return the credentials of somebody of that role."""
        if role == "reseller":
            return self.admin
        user = "boss" if role == "subscriberadmin" else "sub"
        return f"{user}-{self.name}@{self.name}.test", PASSWORD

    def exceed_limit(self) -> int:
        """Let the customer have spent too much."""
        run, values = self.api.database.run, f"{self.customer}, 'day', '2026-03-10', 100, 1"
        columns = "contract_id, period, period_date, cost, fraud_limit"
        run(f"INSERT IGNORE INTO accounting.fraud_events ({columns}) VALUES ({values})")
        ((number,),) = run(f"SELECT id FROM accounting.fraud_events WHERE contract_id = {self.customer}")
        return int(str(number))

    def make(self, resource: str) -> int:
        """Make an entity, and what it needs, as the provider's administrator."""
        if resource not in self.made:
            response = self.api.ask("POST", f"/api/{resource}/", json=BODIES[resource](self), headers=SHOW)
            assert response.status_code == 201, (resource, response.text)
            self.made[resource] = int(response.json()["id"])
        return self.made[resource]


BODIES: Mapping[str, Callable[[Tenant], Body]] = {
    "resellers": lambda t: {
        "name": f"{t.name} again",
        "contract_id": t.api.make(
            "contracts",
            contact_id=t.api.make("systemcontacts", email="r@example.org")["id"],
            type="reseller",
        )["id"],
    },
    "admins": lambda t: {
        "login": f"{t.name}-second",
        "password": PASSWORD,
        "reseller_id": t.reseller,
        "role": "reseller",
    },
    "billingprofiles": lambda t: {"reseller_id": t.reseller, "handle": "flat", "name": "Flat"},
    "billingzones": lambda t: {"billing_profile_id": t.make("billingprofiles"), "zone": "Home"},
    "billingfees": lambda t: {"billing_profile_id": t.make("billingprofiles"), "destination": "^43"},
    "systemcontacts": lambda t: {"email": "s@example.org"},
    "customercontacts": lambda t: {"email": "x@example.org", "reseller_id": t.reseller},
    "contracts": lambda t: {"contact_id": t.make("systemcontacts"), "type": "sippeering"},
    "customers": lambda t: {"contact_id": t.contact},
    "domains": lambda t: {"domain": f"more.{t.name}.test", "reseller_id": t.reseller},
    "subscribers": lambda t: {
        "username": "third",
        "password": PASSWORD,
        "domain": f"{t.name}.test",
        "customer_id": t.customer,
    },
    "subscriberprofilesets": lambda t: {
        "reseller_id": t.reseller,
        "name": f"set of {t.name}",
        "description": "d",
    },
    "subscriberprofiles": lambda t: {
        "set_id": t.make("subscriberprofilesets"),
        "name": f"profile of {t.name}",
        "description": "d",
        "attributes": ["cfu"],
    },
    "subscriberregistrations": lambda t: {"subscriber_id": t.subscriber, "contact": "sip:sub@192.0.2.1"},
    "cfdestinationsets": lambda t: {
        "subscriber_id": t.subscriber,
        "name": "away",
        "destinations": [{"destination": "voicebox"}],
    },
    "cftimesets": lambda t: {"subscriber_id": t.subscriber, "name": "noon", "times": [{"hour": "12"}]},
    "cfsourcesets": lambda t: {
        "subscriber_id": t.subscriber,
        "name": "friends",
        "mode": "whitelist",
        "sources": [{"source": "431*"}],
    },
    "cfbnumbersets": lambda t: {
        "subscriber_id": t.subscriber,
        "name": "main",
        "mode": "whitelist",
        "bnumbers": [{"bnumber": "431*"}],
    },
    "reminders": lambda t: {"subscriber_id": t.subscriber, "time": "07:15:00", "recur": "always"},
    "trustedsources": lambda t: {
        "subscriber_id": t.subscriber,
        "src_ip": f"192.0.2.{len(t.name)}",
        "protocol": "UDP",
    },
    "subscriberlocationmappings": lambda t: {
        "subscriber_id": t.subscriber,
        "location": "sip:there@192.0.2.7",
        "mode": "add",
    },
    "peeringgroups": lambda t: {"name": f"{t.name} peers", "contract_id": t.make("contracts")},
    "peeringservers": lambda t: {
        "group_id": t.make("peeringgroups"),
        "name": f"{t.name} gateway",
        "ip": f"192.0.2.{20 + len(t.name)}",
    },
    "peeringrules": lambda t: {"group_id": t.make("peeringgroups"), "description": "all"},
    "peeringinboundrules": lambda t: {
        "group_id": t.make("peeringgroups"),
        "field": "from_user",
        "pattern": "^43",
        "priority": 1,
    },
    "rewriterulesets": lambda t: {"reseller_id": t.reseller, "name": f"{t.name} rules"},
    "rewriterules": lambda t: {
        "set_id": t.make("rewriterulesets"),
        "match_pattern": "^0",
        "replace_pattern": "43",
        "direction": "in",
        "field": "callee",
        "description": "national",
    },
    "ncoslevels": lambda t: {"reseller_id": t.reseller, "level": f"{t.name} level", "mode": "blacklist"},
    "ncospatterns": lambda t: {"ncos_level_id": t.make("ncoslevels"), "pattern": "^4390"},
    "lnpcarriers": lambda t: {"name": f"{t.name} carrier", "prefix": f"D{len(t.name)}"},
    "lnpnumbers": lambda t: {"carrier_id": t.make("lnpcarriers"), "number": f"431{len(t.name)}"},
    "ncoslnpcarriers": lambda t: {
        "ncos_level_id": t.make("ncoslevels"),
        "carrier_id": t.make("lnpcarriers"),
    },
    "ncoslnppatterns": lambda t: {
        "ncos_lnp_carrier_id": t.make("ncoslnpcarriers"),
        "pattern": "^431",
    },
    "ncossets": lambda t: {
        "reseller_id": t.reseller,
        "name": f"{t.name} ncos",
        "levels": [t.make("ncoslevels")],
    },
    "emergencymappingcontainers": lambda t: {"reseller_id": t.reseller, "name": f"{t.name} emergency"},
    "emergencymappings": lambda t: {
        "emergency_container_id": t.make("emergencymappingcontainers"),
        "code": "112",
        "prefix": "E1",
    },
    "soundsets": lambda t: {"reseller_id": t.reseller, "name": f"{t.name} sounds"},
    "soundfiles": lambda t: {
        "set_id": t.make("soundsets"),
        "handle": "block_in",
        "filename": "b.wav",
        "use_parent": True,
    },
}


def everything(tenant: Tenant) -> dict[str, Any]:
    """Return the number of an entity of every resource that is the tenant's."""
    return {name: tenant.make(name) for name in BODIES}
