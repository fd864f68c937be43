"""The driver between a core and its sockets: what comes in, what goes out, one timer."""

import asyncio

import pytest

from net.loop import run, until
from ngcp.net.driver import SLACK, Driver
from ngcp.sip.transport.flow import Address, Flow

LOCAL = ("127.0.0.1", 5060)
FLOW = Flow("udp", LOCAL, ("192.0.2.1", 5060))


class Echo:
    """A core that answers each message after `delay` seconds."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.due: list[tuple[float, bytes, Flow]] = []
        self.outbox: list[tuple[bytes, Flow]] = []
        self.failed: list[Flow] = []

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.due.append((now + self.delay, data, flow))
        if not self.delay:
            self.handle_timer(now)

    def handle_timer(self, now: float) -> None:
        self.outbox += [(data, flow) for when, data, flow in self.due if when <= now]
        self.due = [entry for entry in self.due if entry[0] > now]

    def next_timer(self) -> float | None:
        return min((when for when, _, _ in self.due), default=None)

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        outbox, self.outbox = self.outbox, []
        return outbox

    def transport_failed(self, flow: Flow, now: float) -> None:
        self.failed.append(flow)
        if len(self.failed) == 1:
            self.outbox.append((b"sorry", FLOW))


class Sender:
    """Takes what is sent, except to `unreachable`."""

    def __init__(self, unreachable: Address = ("", 0)) -> None:
        self.unreachable = unreachable
        self.sent: list[tuple[bytes, Address]] = []

    def send(self, data: bytes, remote: Address) -> bool:
        if remote == self.unreachable:
            return False
        self.sent.append((data, remote))
        return True


def test_messages_leave_by_the_socket_of_their_flow() -> None:
    async def test() -> None:
        driver, sender, other = Driver(Echo(0.0)), Sender(), Sender()
        driver.attach("udp", LOCAL, sender)
        driver.attach("tcp", LOCAL, other)

        driver.receive(b"hello", FLOW)
        driver.transmit()
        driver.transmit()

        assert (sender.sent, other.sent) == ([(b"hello", FLOW.remote)], [])

    run(test)


class BatchSender(Sender):
    """Remembers what was sent in one go."""

    def __init__(self, unreachable: Address = ("", 0)) -> None:
        super().__init__(unreachable)
        self.batches: list[list[bytes]] = []

    def send_all(self, datagrams: list[tuple[bytes, Address]]) -> list[int]:
        self.batches.append([data for data, _ in datagrams])
        return [place for place, datagram in enumerate(datagrams) if not self.send(*datagram)]


def test_messages_of_one_turn_leave_each_socket_in_one_go_and_in_their_order() -> None:
    async def test() -> None:
        core, gone = Echo(0.0), Flow("udp", LOCAL, ("192.0.2.9", 5060))
        driver, stream = Driver(core), Sender()
        outside, inside = BatchSender(gone.remote), BatchSender()
        own = ("127.0.0.1", 5061)
        for transport, local, sender in (
            ("udp", LOCAL, outside),
            ("udp", own, inside),
            ("tcp", LOCAL, stream),
        ):
            driver.attach(transport, local, sender)

        tcp, inner = Flow("tcp", LOCAL, FLOW.remote), Flow("udp", own, FLOW.remote)
        for data, flow in ((b"1", FLOW), (b"2", tcp), (b"3", gone), (b"4", inner), (b"5", FLOW), (b"6", tcp)):
            driver.receive(data, flow)
        driver.transmit()

        assert outside.batches == [[b"1", b"3", b"5"]]
        assert (inside.batches, inside.sent) == ([], [(b"4", FLOW.remote)])
        assert stream.sent == [(b"2", FLOW.remote), (b"6", FLOW.remote)]
        assert core.failed == [gone]

    run(test)


def test_the_timer_is_armed_for_the_earliest_and_again_after_it_fired() -> None:
    async def test() -> None:
        core, sender = Echo(0.5), Sender()
        driver = Driver(core)
        driver.attach("udp", LOCAL, sender)
        driver.receive(b"second", FLOW)
        driver.transmit()
        core.delay = 0.001
        driver.receive(b"first", FLOW)
        driver.transmit()

        await until(lambda: len(sender.sent) == 2)

        assert [data for data, _ in sender.sent] == [b"first", b"second"]
        driver.receive(b"never", FLOW)
        driver.transmit()
        driver.close()
        await asyncio.sleep(2 * SLACK)
        assert len(sender.sent) == 2

    run(test)


def test_what_is_overdue_fires_at_once() -> None:
    """A busy turn may end after its timer was due."""

    async def test() -> None:
        core, sender = Echo(-1.0), Sender()
        driver = Driver(core)
        driver.attach("udp", LOCAL, sender)
        for data in (b"1", b"2"):
            driver.receive(data, FLOW)
            driver.transmit()
        await until(lambda: len(sender.sent) == 2)

    run(test)


class Buggy(Echo):
    """A core that trips over some messages, at once or later."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        if data == b"bug":
            raise RuntimeError("a bug")
        super().receive(data, flow, now)

    def handle_timer(self, now: float) -> None:
        super().handle_timer(now)
        if self.outbox == [(b"late bug", FLOW)]:
            raise RuntimeError("a bug")


def test_a_bug_hits_one_message_or_timer_only(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        caplog.clear()
        core, sender = Buggy(0.001), Sender()
        driver = Driver(core)
        driver.attach("udp", LOCAL, sender)
        for data in (b"bug", b"late bug", b"fine"):
            driver.receive(data, FLOW)
            driver.transmit()
            await asyncio.sleep(2 * SLACK)
        await until(lambda: len(sender.sent) == 2)

        assert [data for data, _ in sender.sent] == [b"late bug", b"fine"]
        assert [record.getMessage() for record in caplog.records] == [
            "a message from 192.0.2.1:5060 could not be handled",
            "a timer could not be handled",
        ]

    run(test)


def test_the_core_hears_of_failures_and_may_answer_them() -> None:
    async def test() -> None:
        core, gone = Echo(0.0), Flow("udp", LOCAL, ("192.0.2.9", 5060))
        sender = Sender(gone.remote)
        driver = Driver(core)
        driver.attach("udp", LOCAL, sender)

        driver.receive(b"x", gone)
        driver.receive(b"y", Flow("sctp", LOCAL, ("192.0.2.1", 5060)))
        driver.transmit()
        await until(lambda: bool(sender.sent))

        assert [flow.remote for flow in core.failed] == [gone.remote, ("192.0.2.1", 5060)]
        assert sender.sent == [(b"sorry", FLOW.remote)]
        driver.fail(gone)
        assert core.failed[-1] == gone

    run(test)
