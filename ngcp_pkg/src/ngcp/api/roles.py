"""What each role may do with which resource; of those that are not named here, nothing."""

from collections.abc import Callable, Mapping
from typing import Final

from ngcp.api.resource import READING
from ngcp.provisioning.principals import UNCONFINED, Principal
from ngcp.provisioning.refusals import NotAllowed
from ngcp.provisioning.store import Entity, Values

_CUSTOMER_OWN: Final = (
    "callforwards",
    "cfmappings",
    "cfdestinationsets",
    "cftimesets",
    "cfsourcesets",
    "cfbnumbersets",
    "reminders",
    "speeddials",
    "subscriberpreferences",
    "subscriberregistrations",
    "voicemailgreetings",
    "voicemails",
    "voicemailsettings",
)
#: What customer care works with.
_CARE: Final = (
    *_CUSTOMER_OWN,
    "activecalls",
    "customerbalances",
    "customercontacts",
    "customerfraudpreferences",
    "customerpreferences",
    "customers",
    "numbers",
    "subscribers",
)
_RESELLER_OWN: Final = (
    *_CARE,
    "admincerts",
    "admins",
    "billingfees",
    "billingprofiles",
    "billingzones",
    "domainpreferences",
    "domains",
    "emergencymappingcontainers",
    "emergencymappings",
    "ncoslevels",
    "ncoslnpcarriers",
    "ncoslnppatterns",
    "ncospatterns",
    "ncossets",
    "profilepreferences",
    "rewriterules",
    "rewriterulesets",
    "soundfiles",
    "soundsets",
    "subscriberlocationmappings",
    "subscriberprofiles",
    "subscriberprofilesets",
    "trustedsources",
)
#: What tells nothing of anybody.
_KNOWN_TO_ALL: Final = (
    "",
    "customerpreferencedefs",
    "soundgroups",
    "soundhandles",
    "subscriberpreferencedefs",
)
#: What became of calls: whose they are sees them, and whoever he belongs to.
_RECORDS: Final = ("calllists", "calls", "conversations")
#: What was said to somebody: customer care does not listen.
_HEARD: Final = ("voicemailrecordings",)
#: What customer care reads besides.
_CARE_READ: Final = frozenset({*_KNOWN_TO_ALL, *_RECORDS, "billingprofiles", "domains", "subscriberprofiles"})

#: What a role may change, and what it may read besides.
PERMISSIONS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "reseller": (
        frozenset(_RESELLER_OWN),
        frozenset(
            {
                *_KNOWN_TO_ALL,
                *_RECORDS,
                "customerfraudevents",
                "domainpreferencedefs",
                "lnpcarriers",
                "profilepreferencedefs",
                "resellerpreferencedefs",
                "resellerpreferences",
                "resellers",
                "soundfilerecordings",
                *_HEARD,
            }
        ),
    ),
    "ccareadmin": (frozenset(_CARE), _CARE_READ),
    "ccare": (frozenset(_CARE), _CARE_READ),
    "subscriberadmin": (
        frozenset(_CUSTOMER_OWN),
        frozenset(
            {
                *_KNOWN_TO_ALL,
                *_RECORDS,
                *_HEARD,
                "customerbalances",
                "customerpreferences",
                "customers",
                "subscribers",
            }
        ),
    ),
    "subscriber": (frozenset(_CUSTOMER_OWN), frozenset({*_KNOWN_TO_ALL, *_RECORDS, *_HEARD, "subscribers"})),
}


#: Roles of the provider's own people, who may do everything.
PROVIDER: Final = frozenset({"system", "admin"})

#: Roles that each role may give to administrators.
_GIVEN: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"system", "admin", "reseller", "ccareadmin", "ccare", "lintercept"}),
    "admin": frozenset({"admin", "reseller", "ccareadmin", "ccare"}),
    "reseller": frozenset({"reseller", "ccare"}),
}
#: What administrators who are no masters may change, of themselves.
_OWN: Final = frozenset({"password", "email"})


def may_give(principal: Principal, role: str) -> bool:
    """Tell whether somebody may make others what that role is."""
    return role in _GIVEN.get(principal.role, frozenset())


def check_administrator(principal: Principal, values: Values | None, entity: Entity | None) -> None:
    """Raise NotAllowed unless somebody may make, change (`values`) or remove (None) an administrator."""
    login = entity["login"] if entity else None
    if values is None and login == principal.login:
        raise NotAllowed("Nobody can remove himself.")
    for role in (one["role"] for one in (entity, values) if one is not None):
        if not may_give(principal, role):
            raise NotAllowed(f"Role {principal.role} may not manage administrators of role {role}.")
    if principal.is_master:
        return
    changed = {name for name, value in (values or {}).items() if entity and value != entity.get(name)}
    if values is None or login != principal.login or changed - _OWN:
        raise NotAllowed("Only a master may manage administrators.")


#: What is to be seen to, resource by resource, beyond what belongs to whom.
RULES: Final[Mapping[str, Callable[[Principal, Values | None, Entity | None], None]]] = {
    "admins": check_administrator
}


def may_enter(principal: Principal) -> bool:
    """Tell whether somebody may come in at all: he sees everything, or it is known what is his."""
    return principal.role in UNCONFINED or (principal.role in PERMISSIONS and principal.root is not None)


def may(role: str, method: str, path: str) -> bool:
    """Tell whether a role may do that, to whatever it finds at the path."""
    if role in PROVIDER:
        return True
    changed, read = PERMISSIONS[role]
    name = path.removeprefix("/api").strip("/").partition("/")[0]
    return name in changed or (method in READING and name in read)
