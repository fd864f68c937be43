"""What the stations stand on, and what they may decide."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ngcp.provisioning.runtime import Peer
from ngcp.sip.core.bindings import Update
from ngcp.sip.core.decision import Decision
from ngcp.sip.core.digest import Authenticator
from ngcp.sip.core.gruu import Gruus
from ngcp.sip.core.registrar import Registrar

from .applications import Applications
from .call import Routed
from .codes import USUAL, Codes
from .credit import Credits
from .dialogs import Dialogs
from .directory import Directory
from .edge import Edge


@dataclass(slots=True)
class Store:
    """Store an update of the location table, and answer the REGISTER only then."""

    update: Update


Outcome = Decision | Store | Routed


@dataclass(frozen=True, slots=True)
class Floor:
    """What the stations stand on; all of it answers from memory."""

    directory: Directory
    """Its questions raise `Unknown`."""
    authenticator: Authenticator
    registrar: Registrar
    gruus: Gruus
    dialogs: Dialogs
    edge: Edge
    """The ways to the load-balancer."""
    ring_timeout: float
    """Seconds a call may ring where no preference says so."""
    applications: Applications
    draw: Callable[[], float] = random.random
    """Random numbers from 0 up to 1."""
    is_down: Callable[[Peer], bool] = lambda peer: False
    """Whether a peer does not answer now."""
    codes: Codes = USUAL
    """What can be dialled beside numbers."""
    credits: Credits = field(default_factory=Credits)
    """What those have left who pay in advance."""
