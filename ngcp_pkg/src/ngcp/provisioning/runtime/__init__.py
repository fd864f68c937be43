"""What the SIP proxy knows of the platform while it runs: values without a database, and who fetches them.

A `Subscriber` comes with all that is provisioned for him; the `Platform` is what everybody shares.
"""

from ngcp.provisioning.session import DatabaseUnavailable

from .credit import Credit
from .directory import Directory
from .features import Destination, Forward, LocationMapping, PatternSet, Period, TrustedSource
from .layers import DEFAULTS
from .names import ANYWHERE, Name
from .numbers import Carrier, NcosLevel, Ported, RewriteRule
from .peering import InboundRule, Peer, PeerGroup, PeerGroups, PeerRule
from .platform import Domain, Platform
from .preferences import NO_PREFERENCES, Excerpts, Layer, Preferences, Setting
from .subscriber import Subscriber

__all__ = [
    "ANYWHERE",
    "DEFAULTS",
    "NO_PREFERENCES",
    "Carrier",
    "Credit",
    "DatabaseUnavailable",
    "Destination",
    "Directory",
    "Domain",
    "Excerpts",
    "Forward",
    "InboundRule",
    "Layer",
    "LocationMapping",
    "Name",
    "NcosLevel",
    "PatternSet",
    "Peer",
    "PeerGroup",
    "PeerGroups",
    "PeerRule",
    "Period",
    "Platform",
    "Ported",
    "Preferences",
    "RewriteRule",
    "Setting",
    "Subscriber",
    "TrustedSource",
]
