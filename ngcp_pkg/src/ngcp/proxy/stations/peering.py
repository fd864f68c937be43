"""A call that leaves for another network: by which of its servers, and what makes us try the next one."""

from itertools import dropwhile
from typing import Final

from ngcp.provisioning.runtime import Peer
from ngcp.proxy.call import Attempt, Call, Party
from ngcp.proxy.floor import Floor
from ngcp.proxy.peers import Wanted, routes
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.decision import Reply
from ngcp.sip.syntax import Response

from .access import is_confined
from .media import with_media
from .outbound import leave

#: Failures that say something of the peer, not of whom the call is for; its challenges are for us.
FAILOVER: Final = frozenset({401, 407, 408, 430, 478, 479})


def leave_by_peers(call: Call, floor: Floor) -> Reply | None:
    """Plan to ask the peers that take the call, one after the other; they wait, or nobody takes it."""
    if is_confined(call):
        return refuse(call, "locked_out")
    groups = call.platform.peer_groups
    found = routes(groups, Wanted(call.uri.name, str(call.uri), _caller_uri(call)), floor.draw)
    if not found:
        return refuse(call, "callee_unknown")
    alive = [route.peer for route in found if not floor.is_down(route.peer)]
    if not alive:
        return refuse(call, "peering_unavailable")
    call.waiting = (*(_attempt(call, floor, peer) for peer in alive), *call.waiting)
    return None


def try_next_peer(call: Call, response: Response) -> Reply | None:
    """Pass over the other peers unless it was this one that failed; if it was the last one, say so."""
    attempt = call.attempt
    if attempt is None or attempt.party.peer is None:
        return None
    others = tuple(dropwhile(_is_of_a_peer, call.waiting))
    if not _is_peers_fault(attempt.party, response, call.is_full):
        call.waiting = others
    elif others == call.waiting:
        return refuse(call, "max_calls_peer" if call.is_full else "peering_unavailable")
    return None


def _is_peers_fault(party: Party, response: Response, is_full: bool) -> bool:
    if is_full or response.status in FAILOVER or 500 <= response.status < 600:
        return True
    text = party.preferences.text("reason_text_for_failover")
    return text is not None and any(text in told for told in (response.reason, *response.all("Reason")))


def _is_of_a_peer(waiting: object) -> bool:
    return isinstance(waiting, Attempt) and waiting.party.peer is not None


def _attempt(call: Call, floor: Floor, peer: Peer) -> Attempt:
    call.callee = Party(peer.preferences, peer=peer)
    target = floor.edge.peer(peer, call.uri.user or "")
    return with_media(leave(call, floor, (target,), min(floor.ring_timeout, call.timeout)), call)


def _caller_uri(call: Call) -> str:
    identity = call.request.from_.uri
    return f"sip:{call.identity.npn or identity.name}@{identity.host}"
