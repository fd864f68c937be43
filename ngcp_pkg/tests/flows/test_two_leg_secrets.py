"""What one leg must not know of the other: no identifier crosses, whatever it is (RFC 7092, RFC 3323)."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.attempts import SDP
from flows.backtoback import CALLEE, CALLER, ByHand
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.profile import HeaderFilter, Profile
from ngcp.sip.syntax import Request, parse

TEXT = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=24)
#: Headers that a phone may send, and that no other one is to see.
HIDDEN = st.sampled_from(
    ["Contact-Extra", "X-Private", "P-Access-Network-Info", "P-Visited-Network-ID", "Path", "Target-Dialog"]
)
METHODS = st.lists(st.sampled_from(["INVITE", "UPDATE", "INFO", "MESSAGE", "OPTIONS"]), max_size=4)


class Names:
    """What a side calls itself."""

    def __init__(self, call_id: str, tag: str, branch: str, host: str) -> None:
        self.call_id, self.tag, self.branch, self.host = call_id, tag, branch, host

    @property
    def all(self) -> tuple[str, ...]:
        return self.tag, self.branch, self.host


def _names(side: str) -> st.SearchStrategy[Names]:
    kinds = (TEXT.map(f"{side}-{kind}-{{}}".format) for kind in ("call", "tag", "branch", "host"))
    return st.builds(Names, *kinds)


@settings(max_examples=60, deadline=None)
@given(caller=_names("near"), callee=_names("far"), header=HIDDEN, methods=METHODS, by_callee=st.booleans())
def test_no_identifier_crosses(
    caller: Names, callee: Names, header: str, methods: list[str], by_callee: bool
) -> None:
    here = ByHand()
    for side, names in ((here.alice, caller), (here.bob, callee)):
        side.tag = names.tag
        side.contact = f"<sip:{names.host}@{side.flow.local[0]}:{side.flow.local[1]}>"
        side.branch = names.branch
    here.alice.call_id = caller.call_id
    here.alice.local = f"<sip:alice@example.org>;tag={caller.tag}"
    lines = [f"{header}: {name}" for name in (*caller.all, CALLER[0])]
    _, invite = here.invite("", *lines)
    here.bob.answer(invite, 180)
    here.bob.answer(invite, 200, *(f"{header}: {name}" for name in (*callee.all, CALLEE[0])), body=SDP)
    here.run()
    here.alice.acknowledge(here.alice.answers()[-1])
    here.run()
    asking, asked = (here.bob, here.alice) if by_callee else (here.alice, here.bob)
    for method in methods:
        asking.ask(method, f"{header}: x", body=SDP)
        here.run()
        answer = asked.answer(asked.requests(method)[-1], 200)
        assert answer.status == 200
        here.run()
        if method == "INVITE":
            asking.acknowledge(asking.answers()[-1])
            here.run()
    asking.ask("BYE")
    here.run()

    assert here.bob.requests("INVITE")
    for packet in here.wire.sent_to(CALLEE):
        head = packet.text.partition("\r\n\r\n")[0]
        assert not [name for name in (*caller.all, CALLER[0], str(CALLER[1])) if name in head]
        assert re.findall(re.escape(caller.call_id) + r"\S*", head) == [f"{caller.call_id}_b2b-1"]
    for packet in here.wire.sent_to(CALLER):
        head = packet.text.partition("\r\n\r\n")[0]
        assert not [name for name in (*callee.all, CALLEE[0], str(CALLEE[1]), "_b2b-1") if name in head]


def test_headers_pass_by_name_and_pattern() -> None:
    headers = HeaderFilter(allow=("X-*", "Subject"), deny=("X-Secret-*",))
    here = ByHand(Configuration(profile=Profile(headers)))

    _, invite = here.invite("", "X-One: 1", "x-secret-two: 2", "Subject: s", "User-Agent: u", "Priority: p")

    seen = {name for name in invite.shape if name not in ("content-length", "via", "route")}
    assert seen == {"max-forwards", "from", "to", "call-id", "cseq", "contact", "x-one", "subject"}


def test_a_caller_who_hides_is_nobody_to_the_callee() -> None:
    """RFC 3323 §4.1.1.3."""
    here = ByHand()

    _, invite = here.invite(
        ";hide_caller=yes",
        "P-Asserted-Identity: <sip:alice@example.org>",
        "Remote-Party-ID: <sip:alice@example.org>",
        "History-Info: <sip:alice@example.org>;index=1",
        "User-Agent: alice's",
    )

    assert re.fullmatch(r'"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=\S+', invite.first("From"))
    assert invite.all("Privacy") == ["id"]
    assert "alice" not in bytes(invite).decode().replace("call-of-alice", "")


def test_credentials_of_the_caller_stay_with_us() -> None:
    here = ByHand()

    _, invite = here.invite(
        "", 'Proxy-Authorization: Digest username="alice"', 'Authorization: Digest username="a"'
    )

    assert "Proxy-Authorization" not in invite
    assert "Authorization" not in invite


def test_the_secret_for_the_callee_is_told_to_nobody() -> None:
    here = ByHand()
    here.connect(";peer_auth_user=trunk;peer_auth_pass=unspeakable;peer_auth_realm=r")
    here.run(1)

    for packet in here.wire.packets[1:]:
        message = parse(packet.data)
        assert isinstance(message, Request) or message.status
        assert "unspeakable" not in packet.text
    assert "unspeakable" not in str(here.b2bua.calls.describe(here.wire.now, 0, 9))
