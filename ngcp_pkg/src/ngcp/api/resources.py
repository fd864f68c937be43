"""The resources of this API."""

from typing import Final

from ngcp.api import models
from ngcp.api.proxy import ProxyControl
from ngcp.api.registrations import ProxyRegistrations
from ngcp.api.resource import Resource
from ngcp.provisioning.contacts import ContactStore, CustomerContactStore
from ngcp.provisioning.contracts import ContractStore, CustomerStore
from ngcp.provisioning.domains import DomainStore
from ngcp.provisioning.resellers import BillingProfileStore, ResellerStore
from ngcp.provisioning.subscribers import SubscriberStore

_SUBSCRIBERS: Final = SubscriberStore()

#: In the order in which a new customer is set up.
RESOURCES: Final = (
    Resource(
        "resellers",
        "reseller",
        "Resellers; the first one is the provider itself",
        ResellerStore(),
        links={"contract_id": "contracts"},
    ),
    Resource(
        "billingprofiles",
        "billing profile",
        "How customers are charged",
        BillingProfileStore(),
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "systemcontacts",
        "system contact",
        "Contacts of the provider's partners",
        ContactStore(),
        models.SystemContact,
    ),
    Resource(
        "customercontacts",
        "customer contact",
        "Contacts of resellers' customers",
        CustomerContactStore(),
        models.CustomerContact,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "contracts",
        "contract",
        "Contracts with resellers and peers; status terminated ends one",
        ContractStore(),
        models.Contract,
        links={"contact_id": "systemcontacts", "billing_profile_id": "billingprofiles"},
    ),
    Resource(
        "customers",
        "customer",
        "Contracts with customers; status terminated ends one, with its subscribers",
        CustomerStore(_SUBSCRIBERS),
        models.Customer,
        links={"contact_id": "customercontacts", "billing_profile_id": "billingprofiles"},
    ),
    Resource(
        "domains",
        "domain",
        "SIP domains",
        DomainStore(),
        models.Domain,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "subscribers",
        "subscriber",
        "SIP accounts; DELETE, or status terminated, frees the name and the numbers",
        _SUBSCRIBERS,
        models.Subscriber,
        links={"customer_id": "customers", "domain_id": "domains"},
    ),
)


def make_resources(proxy: ProxyControl) -> tuple[Resource, ...]:
    """Return all of them; registrations are changed through `proxy`."""
    registrations = Resource(
        "subscriberregistrations",
        "subscriber registration",
        "Where subscribers' devices are now",
        ProxyRegistrations(proxy),
        models.Registration,
        links={"subscriber_id": "subscribers"},
    )
    return (*RESOURCES, registrations)
