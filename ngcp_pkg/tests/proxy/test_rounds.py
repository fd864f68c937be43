"""Bindings are visited evenly, whoever is over is forgotten, who wants pings gets them."""

from dataclasses import replace

import pytest

from ngcp.proxy.edge import Edge
from ngcp.proxy.locations import Locations
from ngcp.proxy.pings import Keepalive, Pings
from ngcp.proxy.rounds import CROWD, Rounds
from ngcp.sip.core.bindings import AddressOfRecord, Binding, Rules, Source, Update
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport import Flow
from proxy.doors import MemoryTable, run_now

EDGE = Edge(("127.0.0.1", 5062), [("127.0.0.1", 5060)])
UDP, TLS = (
    "<sip:lb@127.0.0.1;lr;received=sip:192.0.2.1:5060>",
    "<sip:lb@h;lr;received=sip:h%3Btransport%3Dtls>",
)


def make_binding(number: int = 1, source: Source | None = None, *, expires: float = 1e9) -> Binding:
    aor = AddressOfRecord(f"u{number}", "example.org")
    source = Source(UDP, None, None, True) if source is None else source
    return Binding(f"r{number}", aor, f"sip:u{number}@192.0.2.1", expires, "c", 7, source=source)


class World:
    """Rounds through a registrar."""

    def __init__(self, *bindings: Binding, **keepalive: str | float) -> None:
        self.registrar = Registrar(Rules(), lambda: "")
        self.registrar.load(bindings)
        self.table = MemoryTable()
        locations = Locations(self.registrar, self.table, run_now)
        rules = Keepalive(**keepalive)  # type: ignore[arg-type]  # a test's own choice
        self.sent: list[tuple[float, Request]] = []
        self.now = 0.0
        pings = Pings(rules, self.registrar, b"secret", EDGE)
        self.rounds = Rounds(locations, pings, rules.interval, self._send, 0.0)
        self.ends = 0

    def _send(self, data: bytes, flow: Flow) -> None:
        assert flow == EDGE.main
        request = parse(data)
        assert isinstance(request, Request)
        self.sent.append((self.now, request))

    def run(self, until: float) -> None:
        while self.rounds.due < until:
            self.now = self.rounds.due
            self.ends += self.rounds.visit(self.now, self.now)

    def answer(self, status: int) -> None:
        """Answer what was sent."""
        for _, request in self.sent:
            self.rounds.hear(request.reply(status), self.now)
        self.sent.clear()


@pytest.mark.parametrize(
    ("nat_sipping", "source", "is_pinged"),
    [
        ("yes", Source(UDP, None, None, True), True),
        ("yes", Source(TLS, None, None, True), True),
        ("yes", Source(UDP), False),
        ("always", Source(UDP), True),
        ("always", Source(TLS), False),
        ("always", Source(TLS, None, None, True), True),
        ("always", Source(None), False),
        ("no", Source(UDP, None, None, True), False),
        ("no", Source(UDP, None, None, True, "yes"), True),
        ("yes", Source(UDP, None, None, True, "no"), False),
        ("yes", Source(UDP, pinging="always"), True),
    ],
)
def test_who_is_pinged(nat_sipping: str, source: Source, is_pinged: bool) -> None:
    world = World(make_binding(source=source), nat_sipping=nat_sipping)
    world.run(30.0)
    assert len(world.sent) == is_pinged


def test_ping_goes_along_the_path_to_the_contact() -> None:
    world = World(make_binding(), method="crlf")
    world.run(30.0)
    ((_, ping),) = world.sent
    assert (ping.method, ping.uri, ping.get("Route")) == ("OPTIONS", "sip:u1@192.0.2.1", UDP)
    assert ping.get("P-NGCP-Ping") == "crlf"


def test_every_binding_is_pinged_once_an_interval_and_never_many_at_once() -> None:
    world = World(*map(make_binding, range(50 * CROWD)))
    world.run(60.0)
    times: dict[str, list[float]] = {}
    for when, ping in world.sent:
        times.setdefault(ping.uri, []).append(when)
    assert len(times) == 50 * CROWD
    assert all(second - first == pytest.approx(30.0, abs=1.0) for first, second in times.values())
    moments = [when for when, _ in world.sent]
    assert max(moments.count(moment) for moment in set(moments)) < 2 * CROWD


def test_late_rounds_do_not_catch_up_by_a_burst() -> None:
    world = World(*map(make_binding, range(50 * CROWD)))
    world.rounds.visit(1000.0, 1000.0)
    assert 0 < len(world.sent) < 2 * CROWD
    assert world.rounds.due >= 1000.0


def test_lost_connection_ends_the_registration() -> None:
    world = World(make_binding(1), make_binding(2))
    world.run(30.0)
    world.sent = [(when, ping) for when, ping in world.sent if ping.to.uri.user == "u1"]
    world.answer(430)
    assert [binding.ruid for binding in world.registrar] == ["r2"]


@pytest.mark.parametrize("status", [200, 404, 405, 480, 486, 503])
def test_any_other_answer_ends_nothing(status: int) -> None:
    world = World(make_binding())
    world.run(30.0)
    world.answer(status)
    assert len(world.registrar) == 1


def forge(response: Response, what: str) -> None:
    branch = response.via.branch
    ruid, _, signature = branch.rsplit(".", 2)
    forged = {
        "signature": f"{ruid}.7.{'0' * len(signature)}",
        "binding": f"{ruid.replace('r1', 'r2')}.7.{signature}",
        "number": f"{ruid}.8.{signature}",
        "nothing": "z9hG4bKnp-",
        "text": f"{ruid}.x.{signature}",
    }
    if what == "address":
        response.set("To", "<sip:u2@example.org>")
    else:
        response.set("Via", f"SIP/2.0/UDP 127.0.0.1:5062;branch={forged[what]}")


@pytest.mark.parametrize("what", ["signature", "binding", "number", "nothing", "text", "address"])
def test_forged_answer_ends_nothing(what: str) -> None:
    world = World(make_binding(1), make_binding(2))
    world.run(30.0)
    ping = next(ping for _, ping in world.sent if ping.to.uri.user == "u1")
    response = ping.reply(430)
    forge(response, what)
    world.rounds.hear(response, world.now)
    assert len(world.registrar) == 2


def test_registration_that_was_refreshed_meanwhile_stays() -> None:
    """The phone came back by another connection."""
    world = World(make_binding())
    world.run(30.0)
    refreshed = replace(make_binding(), cseq=8)
    world.registrar.commit(Update(refreshed.aor, saved=[refreshed]))
    world.answer(430)
    assert len(world.registrar) == 1


def test_silent_phone_stays_unless_the_operator_says_otherwise() -> None:
    world = World(make_binding())
    world.run(3000.0)
    assert len(world.registrar) == 1


def test_phone_that_was_silent_too_often_in_a_row_goes() -> None:
    world = World(make_binding(), failures=3)
    world.run(60.0)
    world.answer(200)
    world.run(150.0)
    assert len(world.registrar) == 1
    world.run(210.0)
    assert len(world.registrar) == 0


def test_who_is_over_is_forgotten_within_a_round_and_the_table_swept_at_its_end() -> None:
    world = World(make_binding(1, expires=45.0), make_binding(2))
    world.run(44.0)
    assert (len(world.registrar), world.ends) == (2, 0)
    world.run(91.0)
    assert (len(world.registrar), world.ends) == (1, 1)


@pytest.mark.parametrize(
    "wrong", [{"nat_sipping": "maybe"}, {"method": "sms"}, {"interval": 1.0}, {"failures": -1}]
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, str | float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Keepalive(**wrong)  # type: ignore[arg-type]  # what a file may say
