"""The tables by their names on the platform, one module a database."""

from typing import Final

from ngcp.provisioning.tables import billing, kamailio, provisioning

#: In the order in which they can be created.
METADATA: Final = (billing.metadata, provisioning.metadata, kamailio.metadata)

#: `accounting` is filled by call records; `ngcp` keeps the revision of all the others.
DATABASES: Final = ("billing", "provisioning", "kamailio", "accounting", "ngcp")
