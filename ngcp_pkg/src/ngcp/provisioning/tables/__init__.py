"""The tables by their names on the platform: one module a database, and others by their subject."""

from typing import Final

from ngcp.provisioning.tables import (
    accounting,
    balances,
    billing,
    features,
    kamailio,
    numbers,
    peering,
    preferences,
    provisioning,
    sounds,
    voicemail_news,
)

#: In the order in which they can be created.
METADATA: Final = (billing.metadata, provisioning.metadata, kamailio.metadata, accounting.metadata)

#: What adds its tables to those.
SUBJECTS: Final = (numbers, peering, preferences, sounds, features, voicemail_news, balances)

#: `ngcp` keeps the revision of all the others.
DATABASES: Final = ("billing", "provisioning", "kamailio", "accounting", "ngcp")
