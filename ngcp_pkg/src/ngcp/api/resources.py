"""The resources of this API."""

from collections.abc import Iterable, Sequence
from typing import Final

from ngcp.api import models
from ngcp.api.feature_resources import make_features
from ngcp.api.preferences import PREFERENCES
from ngcp.api.proxy import ProxyControl
from ngcp.api.registrations import ProxyRegistrations
from ngcp.api.resource import Resource
from ngcp.api.routing_resources import ROUTING
from ngcp.api.sounds import SOUNDS
from ngcp.api.tenancy_models import NumberOwner
from ngcp.api.tenancy_resources import BALANCES, TENANCY
from ngcp.provisioning.contacts import ContactStore, CustomerContactStore
from ngcp.provisioning.contracts import ContractStore, CustomerStore
from ngcp.provisioning.domains import DomainStore
from ngcp.provisioning.number_owners import NumberStore
from ngcp.provisioning.preferences.profiles import ProfileSetStore, ProfileStore
from ngcp.provisioning.speed_dials import SLOTS
from ngcp.provisioning.subscribers import SubscriberStore
from ngcp.provisioning.tenancy import Member, Tenancy

_SUBSCRIBERS: Final = SubscriberStore()

#: In the order in which a new customer is set up.
RESOURCES: Final = (
    *TENANCY,
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
        links={
            "customer_id": "customers",
            "domain_id": "domains",
            "profile_set_id": "subscriberprofilesets",
            "profile_id": "subscriberprofiles",
        },
    ),
    Resource(
        "subscriberprofilesets",
        "subscriber profile set",
        "Sets of profiles, of which a subscriber has one",
        ProfileSetStore(),
        models.ProfileSet,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "subscriberprofiles",
        "subscriber profile",
        "Profiles: what subscribers share (`profilepreferences`), and what they may change themselves",
        ProfileStore(),
        models.Profile,
        links={"set_id": "subscriberprofilesets"},
    ),
)


_NUMBERS: Final = Resource(
    "numbers",
    "number",
    "Telephone numbers, and whose they are; a change of `subscriber_id` moves an alias",
    NumberStore(_SUBSCRIBERS),
    NumberOwner,
    links={"subscriber_id": "subscribers"},
)


def make_resources(proxy: ProxyControl, slots: Sequence[str] = SLOTS) -> tuple[Resource, ...]:
    """Return all of them; registrations are changed through `proxy`, speed dials fill `slots`."""
    registrations = Resource(
        "subscriberregistrations",
        "subscriber registration",
        "Where subscribers' devices are now",
        ProxyRegistrations(proxy),
        models.Registration,
        links={"subscriber_id": "subscribers"},
    )
    own = *RESOURCES, *BALANCES, _NUMBERS, *PREFERENCES, registrations
    return (*own, *make_features(slots), *ROUTING, *SOUNDS)


def make_tenancy(resources: Iterable[Resource]) -> Tenancy:
    """Return how what is in these resources belongs together."""
    return Tenancy({resource.name: Member(resource.store, resource.links) for resource in resources})
