"""Resources of call features: what subscribers have their calls do."""

from collections.abc import Sequence
from typing import Final

from ngcp.api import feature_models as models
from ngcp.api.resource import Resource
from ngcp.provisioning.call_forwards import MappingStore
from ngcp.provisioning.forward_sets import (
    BnumberSetStore,
    DestinationSetStore,
    SourceSetStore,
    TimeSetStore,
)
from ngcp.provisioning.places import LocationMappingStore, TrustedSourceStore
from ngcp.provisioning.reminders import ReminderStore
from ngcp.provisioning.simple_forwards import CallForwardStore
from ngcp.provisioning.speed_dials import SpeedDialStore

_OWNER: Final = {"subscriber_id": "subscribers"}

FEATURES: Final = (
    Resource(
        "callforwards",
        "call forward",
        "Call forwards of each subscriber in one piece, at most one of each kind",
        CallForwardStore(),
        models.CallForwards,
        links=_OWNER,
    ),
    Resource(
        "cfmappings",
        "call forward mapping",
        "All call forwards of each subscriber, by the sets that they are made of",
        MappingStore(),
        models.CallForwardMappings,
        links=_OWNER,
    ),
    Resource(
        "cfdestinationsets",
        "destination set",
        "Where call forwards lead",
        DestinationSetStore(),
        models.DestinationSet,
        links=_OWNER,
    ),
    Resource(
        "cftimesets",
        "time set",
        "When call forwards hold",
        TimeSetStore(),
        models.TimeSet,
        links=_OWNER,
    ),
    Resource(
        "cfsourcesets",
        "source set",
        "Whose calls call forwards are for",
        SourceSetStore(),
        models.SourceSet,
        links=_OWNER,
    ),
    Resource(
        "cfbnumbersets",
        "B-number set",
        "Which called numbers call forwards are for",
        BnumberSetStore(),
        models.BnumberSet,
        links=_OWNER,
    ),
    Resource(
        "reminders",
        "reminder",
        "Wake-up calls, one for each subscriber",
        ReminderStore(),
        models.Reminder,
        links=_OWNER,
    ),
    Resource(
        "trustedsources",
        "trusted source",
        "Addresses whose calls are a subscriber's own, without a password",
        TrustedSourceStore(),
        models.TrustedSource,
        links=_OWNER,
    ),
    Resource(
        "subscriberlocationmappings",
        "location mapping",
        "Places to call beside, or instead of, a subscriber's registered ones",
        LocationMappingStore(),
        models.LocationMapping,
        links=_OWNER,
    ),
)


def make_features(slots: Sequence[str]) -> tuple[Resource, ...]:
    """Return all of them; `slots` are those that speed dials can fill."""
    speed_dials = Resource(
        "speeddials",
        "speed dial",
        "What each subscriber calls by a few keys",
        SpeedDialStore(slots),
        models.SpeedDials,
        links=_OWNER,
    )
    return (*FEATURES, speed_dials)
