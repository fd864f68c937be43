"""Several proxies behind one load-balancer: who gets a call, and what happens when one is out of order."""

import asyncio
import dataclasses
import re
from collections import Counter

import pytest

from flows.attempts import RINGS, Attempt
from flows.edge import CONFIGURATION, INTERNAL, PUBLIC, StubProxy, add_load_balancer
from flows.phones import Call, Phone
from flows.wire import Packet, Wire
from ngcp.lb.config import Configuration, Dispatching, Proxy
from ngcp.lb.control import make_commands
from ngcp.lb.core import LoadBalancer
from ngcp.service.commands import CommandError, Json
from ngcp.sip.core.decision import Reply
from ngcp.sip.transport.flow import Address, Flow

PROXIES = [("127.0.0.1", 5062), ("127.0.0.1", 5063), ("127.0.0.1", 5064)]
ALICE, BOB = ("198.51.100.1", 5060), ("198.51.100.2", 5060)


def configure(*proxies: Proxy, **dispatching: float) -> Configuration:
    """Return the usual configuration with these proxies, three if none is named."""
    members = proxies or tuple(Proxy(*address) for address in PROXIES)
    return dataclasses.replace(
        CONFIGURATION,
        proxies=members,
        dispatcher=Dispatching(**dispatching),  # type: ignore[arg-type] # ints, floats
    )


class Site:
    """A load-balancer, three proxies with one location table, and two phones."""

    def __init__(self, configuration: Configuration) -> None:
        self.wire = Wire()
        self.edge = add_load_balancer(self.wire, configuration)
        bindings: dict[str, tuple[str, str]] = {}
        self.proxies = {address: StubProxy(self.wire, address, bindings) for address in PROXIES}
        self.alice = Phone(self.wire, "alice", ALICE, PUBLIC)
        self.bob = Phone(self.wire, "bob", BOB, PUBLIC, script=((0.0, 180), (0.1, 200)))
        self.complete(self.alice.register())
        self.complete(self.bob.register())

    def complete(self, attempt: Attempt) -> None:
        assert self.wire.run_until(lambda: attempt.is_over)
        assert attempt.status == 200

    def call(self) -> Call:
        call = self.alice.call("bob")
        assert self.wire.run_until(lambda: call.is_up), call.status
        return call

    def owner(self, call_id: str) -> Address:
        """Return the proxy that a Call-ID belongs to."""
        return self.edge.dispatcher.choose(call_id)[0].remote

    def asked(self, call: Call) -> list[Address]:
        """Return the proxies that the edge gave a call to, in their order."""
        invites = [
            packet.destination
            for packet in self.wire.packets
            if packet.source == INTERNAL and packet.start.startswith("INVITE") and call.call_id in packet.text
        ]
        return list(dict.fromkeys(invites))

    def silence(self, address: Address) -> None:
        """Let nothing reach a proxy any more."""
        self.wire.meddler = lambda packet: int(packet.destination != address)

    def silence_next(self) -> Address:
        """Silence the proxy that Alice's next call belongs to."""
        invite = self.alice.call("bob")
        owner = self.owner(invite.call_id)
        self.silence(owner)
        self.next_call = invite
        return owner

    def ask(self, name: str, *arguments: Json) -> Json:
        commands = make_commands(self.edge, lambda: configure(Proxy(*PROXIES[0])))
        return asyncio.run(commands.call(name, *arguments))

    def flags(self) -> list[str]:
        """Return the flags of the proxies as operators see them."""
        return re.findall(r"'FLAGS': '(..)'", str(self.ask("dispatcher.list")))

    def probes(self) -> list[Packet]:
        return [packet for packet in self.wire.packets if packet.start.startswith("OPTIONS")]


@pytest.fixture
def site() -> Site:
    return Site(configure())


# Who gets a call


def test_calls_spread_and_each_stays_with_its_proxy(site: Site) -> None:
    """Hash by Call-ID: a call, its re-INVITE and its BYE meet one proxy."""
    calls = [site.call() for _ in range(20)]
    for call in calls:
        assert site.asked(call) == [site.owner(call.call_id)]
        site.complete(call.request("INVITE", b"v=0\r\n"))
        site.complete(call.hang_up())

    owners = {call.call_id: site.owner(call.call_id) for call in calls}
    assert set(owners.values()) == set(PROXIES)
    for address, proxy in site.proxies.items():
        assert {owners[request.call_id] for request in proxy.requests if request.call_id in owners} == {
            address
        }


@pytest.mark.parametrize("gone", range(3))
def test_a_proxy_that_leaves_moves_its_own_calls_only(gone: int) -> None:
    """Rendezvous hashing; the others' calls do not even notice."""
    before, after = (
        LoadBalancer(configure(*members), bytes(32), str).dispatcher
        for members in (
            [Proxy(*address) for address in PROXIES],
            [Proxy(*address) for address in PROXIES if address != PROXIES[gone]],
        )
    )
    for number in range(500):
        old = [flow.remote for flow in before.choose(f"call-{number}")]
        new = [flow.remote for flow in after.choose(f"call-{number}")]
        assert [address for address in old if address != PROXIES[gone]] == new


def test_the_order_is_the_same_in_every_process_and_release() -> None:
    """A changed hash would move every call at an upgrade, and split workers."""
    dispatcher = LoadBalancer(configure(), bytes(32), str).dispatcher

    chosen = {name: [flow.remote[1] for flow in dispatcher.choose(name)] for name in ("a", "b", "c@h", "ü")}
    assert chosen == {
        "a": [5063, 5062, 5064],
        "b": [5062, 5063, 5064],
        "c@h": [5062, 5064, 5063],
        "ü": [5062, 5064, 5063],
    }


def test_weight_is_a_share() -> None:
    members = (Proxy(*PROXIES[0], weight=3), Proxy(*PROXIES[1]))
    dispatcher = LoadBalancer(configure(*members), bytes(32), str).dispatcher

    calls = Counter(dispatcher.choose(f"call-{number}")[0].remote for number in range(4000))
    assert calls[PROXIES[0]] / calls[PROXIES[1]] == pytest.approx(3, rel=0.1)


# Failover within a transaction


def test_a_silent_proxy_is_passed_over(site: Site) -> None:
    """The caller sees nothing but 2 s more."""
    owner = site.silence_next()
    call = site.next_call
    assert site.wire.run_until(lambda: call.is_up, within=3.0)

    assert site.asked(call) == [flow.remote for flow in site.edge.dispatcher.choose(call.call_id)[:2]]
    assert site.asked(call)[0] == owner
    assert call.attempt is not None
    assert [response.status for response in call.attempt.responses] == [100, 180, 200]
    assert site.edge.counters["dispatcher.failovers"] == 1
    assert site.flags().count("TP") == 1, "one more such call and a probe would take it out"


def test_the_dialog_belongs_to_the_proxy_that_stood_in(site: Site) -> None:
    site.silence_next()
    call = site.next_call
    assert site.wire.run_until(lambda: call.is_up)
    second = site.asked(call)[1]
    site.complete(site.bob.calls[0].request("INVITE", b"v=0\r\n"))
    site.wire.run(0.1)
    site.complete(call.hang_up())

    methods = [request.method for request in site.proxies[second].requests if request.call_id == call.call_id]
    assert methods == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]


def test_a_lost_packet_is_no_silence(site: Site) -> None:
    """§17.1.1.2: it is sent again, to the same proxy."""
    lost: list[int] = []

    def lose_first(packet: Packet) -> int:
        if packet.destination in PROXIES and packet.start.startswith("INVITE") and len(lost) < 2:
            lost.append(packet.number)
            return 0
        return 1

    site.wire.meddler = lose_first
    call = site.call()
    assert site.asked(call) == [site.owner(call.call_id)]
    assert len(lost) == 2


def test_a_proxy_that_answers_503_is_passed_over_at_once(site: Site) -> None:
    call = site.alice.call("bob")
    site.proxies[site.owner(call.call_id)].answer = Reply(503)
    assert site.wire.run_until(lambda: call.is_up, within=0.5)

    assert len(site.asked(call)) == 2
    assert site.flags() == ["AP"] * 3, "busy is not dead"


def test_all_are_overloaded(site: Site) -> None:
    for proxy in site.proxies.values():
        proxy.answer = Reply(503)
    call = site.alice.call("bob")
    assert site.wire.run_until(lambda: call.is_ended, within=0.5)

    assert call.status == 503
    assert len(site.asked(call)) == 3


def test_a_proxy_without_a_port_is_passed_over_at_once(site: Site) -> None:
    """ICMP says so; what waits for it there need not wait."""
    owner = site.silence_next()
    call = site.next_call
    flow = Flow("udp", INTERNAL, owner)
    site.wire.at(site.wire.now + 0.02, lambda: site.edge.unreachable(flow, site.wire.now))
    assert site.wire.run_until(lambda: call.is_up, within=0.5)

    assert len(site.asked(call)) == 2


def test_the_only_proxy_may_be_away_for_a_moment() -> None:
    """It restarts within 200 ms: the INVITE is sent again, nobody else could take it."""
    site = Site(configure(Proxy(*PROXIES[0])))
    owner = site.silence_next()
    call = site.next_call
    site.wire.run(0.2)
    site.edge.unreachable(Flow("udp", INTERNAL, owner), site.wire.now)
    site.wire.run(2.5)
    site.wire.meddler = lambda packet: 1
    assert site.wire.run_until(lambda: call.is_up)

    assert site.probes() == [], "and without another there is nothing to probe for"


def test_every_proxy_is_silent(site: Site) -> None:
    site.wire.meddler = lambda packet: int(packet.destination not in PROXIES)
    call = site.alice.call("bob")
    assert site.wire.run_until(lambda: call.is_ended, within=7.0)

    assert call.status == 503
    assert len(site.asked(call)) == 3


def test_cancel_while_the_first_is_silent(site: Site) -> None:
    """§9.1: nobody else is asked, and the caller is told within the patience."""
    site.silence_next()
    call = site.next_call
    site.wire.run(1.0)
    call.cancel()
    assert site.wire.run_until(lambda: call.is_ended, within=1.5)

    assert call.status == 487
    assert len(site.asked(call)) == 1
    assert site.bob.seen == []


def test_cancel_while_the_second_rings(site: Site) -> None:
    site.bob.script = RINGS
    site.silence_next()
    call = site.next_call
    assert site.wire.run_until(lambda: call.status == 180)
    call.cancel()
    assert site.wire.run_until(lambda: call.is_ended)

    assert call.status == 487
    assert [request.method for request in site.bob.seen] == ["INVITE", "CANCEL"]
    cancels = [packet for packet in site.wire.packets if packet.start.startswith("CANCEL")]
    assert {packet.destination for packet in cancels if packet.source == INTERNAL} == {site.asked(call)[1]}


def test_a_registration_goes_on_too(site: Site) -> None:
    attempt = site.alice.register()
    site.silence(site.owner(attempt.request.call_id))
    assert site.wire.run_until(lambda: attempt.is_over, within=3.0)

    assert attempt.status == 200


def test_a_message_waits_for_its_phone_not_for_the_proxy(site: Site) -> None:
    """Nothing tells that a proxy has it (RFC 4320), so silence is no sign: nobody gets it twice."""
    site.wire.meddler = lambda packet: int(packet.destination != BOB)
    attempt = site.alice.send_request("MESSAGE", "sip:bob@example.org")
    site.wire.run(10.0)

    took = [
        address
        for address, proxy in site.proxies.items()
        if any(r.method == "MESSAGE" for r in proxy.requests)
    ]
    assert took == [site.owner(attempt.request.call_id)]


# Probes


def test_a_dead_proxy_is_found_out_and_taken_back(site: Site) -> None:
    """Down after three probes without an answer, up after two with one; meanwhile no call waits for it."""
    dead = PROXIES[1]
    site.silence(dead)
    site.wire.run(21.0)
    assert site.flags() == ["AP", "IP", "AP"]

    calls = [site.call() for _ in range(10)]
    assert all(dead not in site.asked(call) for call in calls)
    assert site.edge.counters["dispatcher.failovers"] == 0

    site.wire.meddler = lambda packet: 1
    site.wire.run(6.0)
    assert site.flags() == ["AP", "IP", "AP"]
    site.wire.run(5.0)
    assert site.flags() == ["AP", "AP", "AP"]


def test_a_lost_probe_is_forgiven(site: Site) -> None:
    site.silence(PROXIES[1])
    site.wire.run(11.0)
    assert site.flags() == ["AP", "TP", "AP"]
    site.wire.meddler = lambda packet: 1
    site.wire.run(5.0)
    assert site.flags() == ["AP", "AP", "AP"]


def test_calls_without_an_answer_take_a_proxy_out_before_the_probes_do() -> None:
    site = Site(configure(probe_interval=3600, down_after=1))
    owner = site.silence_next()
    assert site.wire.run_until(lambda: site.next_call.is_up)

    assert [address for address, flags in zip(PROXIES, site.flags(), strict=True) if flags == "IP"] == [owner]


def test_nobody_answers_a_call_while_all_are_down(site: Site) -> None:
    site.wire.meddler = lambda packet: int(packet.destination not in PROXIES)
    site.wire.run(21.0)
    call = site.alice.call("bob")
    assert site.wire.run_until(lambda: call.is_ended, within=0.5)

    assert call.attempt is not None
    final = call.attempt.final
    assert final is not None
    assert (final.status, final.reason) == (503, "No Proxy Available")


def test_a_call_that_is_up_ends_though_its_proxy_is_out(site: Site) -> None:
    """Only the proxy that has the dialog can end it."""
    call = site.call()
    site.ask("dispatcher.set_state", "d", 1, "all")
    site.complete(call.hang_up())

    assert site.bob.calls[0].is_ended


def test_an_answer_that_belongs_to_no_probe_changes_nothing(site: Site) -> None:
    """From another address, or with a branch of the past."""
    site.silence(PROXIES[1])
    site.wire.run(21.0)
    probe = next(packet for packet in reversed(site.probes()) if packet.destination == PROXIES[1])
    lines = probe.text.split("\r\n")
    answer = "\r\n".join(["SIP/2.0 200 OK", *lines[1:]]).encode()
    for source in (PROXIES[0], ALICE):
        site.edge.receive(answer, Flow("udp", INTERNAL, source), site.wire.now)
        site.edge.receive(answer, Flow("udp", PUBLIC, source), site.wire.now)
    site.wire.run(10.0)

    assert site.flags() == ["AP", "IP", "AP"]


def test_probes_say_who_asks(site: Site) -> None:
    probe = site.probes()[0]

    assert probe.start == "OPTIONS sip:127.0.0.1:5062 SIP/2.0"
    assert "\r\nFrom: <sip:dispatcher@127.0.0.1:5060>;tag=" in probe.text
    assert "\r\nUser-Agent: Sipwise NGCP LB\r\n" in probe.text
    identities = {
        line for packet in site.probes() for line in packet.text.split("\r\n") if line.startswith("Call-ID")
    }
    assert len(identities) == len(site.probes())


def test_probes_can_be_had_with_one_proxy_and_be_done_without_with_several() -> None:
    alone, several = Site(configure(Proxy(*PROXIES[0]), probe_interval=10)), Site(configure(probe_interval=0))
    for site in (alone, several):
        site.wire.run(21.0)

    assert len(alone.probes()) == 3
    assert several.probes() == []
    assert several.flags() == ["AX"] * 3


# Commands


def test_operators_see_the_set(site: Site) -> None:
    rows: list[Json] = [
        {"DEST": {"URI": f"sip:{host}:{port}", "FLAGS": "AP", "PRIORITY": 0, "ATTRS": {"WEIGHT": 1}}}
        for host, port in PROXIES
    ]
    assert site.ask("dispatcher.list") == {
        "NRSETS": 1,
        "RECORDS": [{"SET": {"ID": 1, "TARGETS": rows}}],
    }
    assert site.ask("stats.fetchn", "dispatcher.proxies", "dispatcher.proxies_used") == {
        "dispatcher.proxies": 3,
        "dispatcher.proxies_used": 3,
    }


def test_operators_take_a_proxy_out_and_put_it_back(site: Site) -> None:
    site.ask("dispatcher.set_state", "dx", "1", "sip:127.0.0.1:5063")
    assert site.flags() == ["AP", "DX", "AP"]
    site.wire.run(30.0)
    assert site.flags() == ["AP", "DX", "AP"], "probes do not undo it"
    assert all(PROXIES[1] not in site.asked(site.call()) for _ in range(10))

    site.ask("dispatcher.set_state", "a", 1, "sip:127.0.0.1:5063")
    assert site.flags() == ["AP", "AP", "AP"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("z", 1, "all"), "'z' is no state; allowed are a, t, i, d"),
        (("", 1, "all"), "'' is no state"),
        (("a", 2, "all"), "no set 2; there is only 1"),
        (("a", 1, "sip:127.0.0.1:9"), "no proxy sip:127.0.0.1:9; there are sip:127.0.0.1:5062, sip:"),
    ],
)
def test_a_command_that_makes_no_sense_changes_nothing(
    site: Site, arguments: tuple[Json, ...], problem: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        site.ask("dispatcher.set_state", *arguments)

    assert refusal.value.message.startswith(problem)
    assert site.flags() == ["AP", "AP", "AP"]


def test_reload_takes_another_set_and_keeps_states(site: Site) -> None:
    site.ask("dispatcher.set_state", "d", 1, "sip:127.0.0.1:5062")
    assert site.ask("dispatcher.reload") == "ok"

    assert site.flags() == ["DX"]
