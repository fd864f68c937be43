"""Where a request comes from, and whether it may start anything here."""

from typing import Final

from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor, Outcome
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.decision import Reply
from ngcp.sip.core.digest import Credentials, Verdict
from ngcp.sip.syntax import Request

#: Requests that start something here; all others belong into a dialog.
OUT_OF_DIALOG: Final = frozenset({"REGISTER", "INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE"})
#: What only an element of the node starts: it tells phones of messages that wait.
FROM_INSIDE: Final = "NOTIFY"
ALLOW: Final = (
    "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, REGISTER, UPDATE, PRACK, INFO, REFER, NOTIFY, SUBSCRIBE"
)


def check_method(call: Call, floor: Floor) -> Outcome | None:
    """Refuse what neither starts nor continues anything (§8.2.1)."""
    method = call.request.method
    if method in OUT_OF_DIALOG or (method == FROM_INSIDE and call.caller.is_inside):
        return None
    return Reply(405, headers=(("Allow", ALLOW),))


def authenticate(call: Call, floor: Floor) -> Outcome | None:
    """Let pass whoever is known by the way the request came, or proved who he is (§22).

    A stranger may call who takes calls from strangers. A registration must be under a name that is the
    subscriber's own; what a call says of its caller is screened later.
    """
    caller = call.caller
    if caller.verdict is Verdict.GOOD:
        return None if caller.owns_identity or call.request.method != "REGISTER" else Reply(403)
    if caller.peer is not None or caller.is_inside or caller.is_trusted:
        return None
    if caller.rejection is not None:
        return caller.rejection
    if caller.is_local:
        return _challenge(call, floor)
    return None if _takes_strangers(call, floor) else refuse(call, "relaying_denied")


def _takes_strangers(call: Call, floor: Floor) -> bool:
    """Whether the subscriber that is called wants calls from anywhere (`unauth_inbound_calls`)."""
    uri = call.uri
    if uri.host not in call.platform.domains or call.request.method == "REGISTER":
        return False
    callee = floor.directory.called(uri)
    return callee is not None and call.platform.preferences_of(callee).flag("unauth_inbound_calls")


def _challenge(call: Call, floor: Floor) -> Reply:
    """Ask for the password (§22.2, §22.3)."""
    caller = call.caller
    stale = caller.verdict is Verdict.STALE
    is_register = call.request.method == "REGISTER"
    header = "WWW-Authenticate" if is_register else "Proxy-Authenticate"
    challenges = floor.authenticator.challenges(caller.realm, call.now, stale=stale)
    failure = _failure(call.request, caller.realm) if caller.verdict is Verdict.WRONG else ()
    asked = tuple([(header, challenge) for challenge in challenges])
    return Reply(401 if is_register else 407, headers=(*asked, *failure))


def _failure(request: Request, realm: str) -> tuple[tuple[str, str], ...]:
    """Tell the load-balancer whose password was wrong: it counts, and bans."""
    credentials = Credentials.find(request, realm)
    if credentials is None:
        return ()
    user = f"{credentials.user}@{realm.lower()}"
    return ("P-NGCP-Authorization", user), ("P-NGCP-Authorized", "0")
