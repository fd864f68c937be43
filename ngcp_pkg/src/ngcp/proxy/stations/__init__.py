"""The stations of the corridor: each looks at a call and decides, fills in what it found, or lets it pass.

Each is a function of the call and of what memory holds. One that asks memory does so before it changes
anything, since `Unknown` sends the call through the corridor again.
"""

from collections.abc import Callable
from typing import Final

from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor, Outcome
from ngcp.sip.syntax import Response

from .access import check_locks
from .admission import check_agent, check_global_lock, check_source
from .announcements import end_prelude
from .blocks import check_blocks
from .destination import find_callee, try_next
from .emergency import map_emergency
from .location import open_gruu
from .numbers import rewrite_callee
from .origin import authenticate, check_method
from .portability import look_up_ported
from .registration import register
from .screening import identify
from .services import excuse_services, read_override, serve_code
from .subscriptions import subscribe

Station = Callable[[Call, Floor], Outcome | None]
#: Looks at a final response, 3xx to 6xx, to the attempt under way; None lets it go to the caller.
Continuation = Callable[[Call, Response, Floor], Outcome | None]

#: The order in which a request out of a dialog meets them; the last one always decides. What was dialled is
#: rewritten before locks are looked at: an emergency call is let through.
STATIONS: Final[tuple[Station, ...]] = (
    check_method,
    authenticate,
    check_source,
    check_agent,
    check_global_lock,
    register,
    subscribe,
    open_gruu,
    read_override,
    rewrite_callee,
    check_locks,
    identify,
    serve_code,
    map_emergency,
    look_up_ported,
    check_blocks,
    find_callee,
)

#: The order in which a failure meets them.
CONTINUATIONS: Final[tuple[Continuation, ...]] = (end_prelude, excuse_services, try_next)
