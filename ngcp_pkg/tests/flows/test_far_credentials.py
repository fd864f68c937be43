"""A callee that wants to know who calls is told by us (RFC 3261 §22), and nobody else is."""

import hashlib

from flows.attempts import SDP
from flows.backtoback import ByHand
from ngcp.sip.syntax import Request
from ngcp.sip.syntax.fields import parse_auth

LOGIN = ';peer_auth_user=trunk;peer_auth_pass="se;cret";peer_auth_realm=peer.example'
ASKS = 'Proxy-Authenticate: Digest realm="peer.example", nonce="n1", qop="auth,auth-int", opaque="o"'


def _is_right(request: Request, header: str = "Proxy-Authorization") -> bool:
    _, said = parse_auth(request.first(header))

    def digest(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = digest(f"trunk:{said['realm']}:se;cret")
    count = f"{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}"
    what = digest(f"{request.method}:{said['uri']}")
    return said["response"] == digest(f"{secret}:{count}:{what}")


def test_a_challenge_of_the_callee_is_answered() -> None:
    here = ByHand()
    _, invite = here.invite(LOGIN)

    here.bob.answer(invite, 407, ASKS)
    here.run()
    again = here.bob.requests("INVITE")[1]

    assert _is_right(again)
    assert again.cseq.number == 2
    assert again.via.branch != invite.via.branch
    assert here.alice.answers() == []


def test_every_request_of_the_dialog_is_answered_for() -> None:
    here = ByHand()
    here.connect(LOGIN)

    here.alice.invite(body=SDP)
    here.run()
    here.bob.answer(here.bob.requests("INVITE")[1], 401, ASKS.replace("Proxy", "WWW"))
    here.run()
    again = here.bob.requests("INVITE")[2]
    assert _is_right(again, "Authorization")
    here.bob.answer(again, 200, body=SDP)
    here.run()
    here.alice.acknowledge(here.alice.answers()[-1])
    here.run()
    here.alice.ask("BYE")
    here.run()
    here.bob.answer(here.bob.requests("BYE")[0], 407, ASKS)
    here.run()

    byes = here.bob.requests("BYE")
    assert [bye.cseq.number for bye in byes] == [4, 5]
    assert _is_right(byes[1])
    assert here.alice.statuses("BYE") == [200]


def test_a_wrong_secret_is_tried_once() -> None:
    here = ByHand()
    _, invite = here.invite(LOGIN)

    here.bob.answer(invite, 407, ASKS)
    here.run()
    here.bob.answer(here.bob.requests("INVITE")[1], 407, ASKS)
    here.run()

    assert here.alice.statuses() == [407]
    assert len(here.bob.requests("INVITE")) == 2


def test_nobody_else_is_told() -> None:
    here = ByHand()
    _, invite = here.invite(LOGIN)

    here.bob.answer(invite, 407, ASKS.replace("peer.example", "stranger.example"))
    here.run()

    assert len(here.bob.requests("INVITE")) == 1
    assert here.alice.statuses() == [407]
    assert not any("se;cret" in packet.text for packet in here.wire.sent_to(here.bob.flow.local))
