"""Calls on the wire, by the records that the proxy writes of them, to their CDRs."""

import asyncio

import pytest

from flows.attempts import ANSWERS, IS_BUSY, RINGS, Script
from flows.phones import Call
from flows.test_forwards import forward
from flows.test_peering import answering, peer, provision
from flows.whole import Node
from mediator.calls import Node as Mediation
from private_mariadb import Server
from private_redis import RedisServer

#: What the server does not like but takes.
pytestmark = pytest.mark.filterwarnings("ignore::Warning:aiomysql")

#: Seconds that the way from the caller to the proxy and back takes, at most.
NEAR = 0.2
#: Columns that are looked at, by what they are called in the tests.
COLUMNS = [
    "source_user",
    "destination_user_in",
    "call_type",
    "call_status",
    "call_code",
    "duration",
    "closed_by",
]


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def mediation(database: Server, redis_server: RedisServer) -> Mediation:
    return Mediation(database, redis_server)


def mediate(mediation: Mediation, node: Node) -> list[dict[str, str]]:
    """Let the mediator have what the proxy wrote; return the CDRs, the first leg first."""

    async def main() -> None:
        await mediation.to_acc(*node.acc.rows.values())
        await mediation.work()
        await mediation.stop()

    asyncio.run(main())
    assert (mediation.trash(), mediation.left()) == ([], [])
    return [dict(zip(COLUMNS, row, strict=True)) for row in mediation.cdrs(*COLUMNS)]


def dial(node: Node, number: str = "bob") -> Call:
    return node.registered("alice", "192.0.2.10").call(number)


def talk(node: Node, call: Call, seconds: float) -> None:
    """Talk so long once it is answered, and hang up."""
    assert node.wire.run_until(lambda: call.is_up)
    node.wire.run(seconds)
    call.hang_up()
    node.wire.run(40.0)


def is_about(duration: str, seconds: float) -> bool:
    """The proxy sees an answer before the caller does, and his BYE after him."""
    return seconds <= float(duration) <= seconds + NEAR


@pytest.mark.parametrize("bypass", [False, True], ids=["by the B2BUA", "past it"])
def test_an_answered_call_is_one_record_of_its_duration(mediation: Mediation, bypass: bool) -> None:
    node = Node(bypass=bypass)
    node.registered("bob", "192.0.2.20")
    talk(node, dial(node), 60.0)

    [cdr] = mediate(mediation, node)
    assert (cdr["source_user"], cdr["destination_user_in"]) == ("alice", "bob")
    assert (cdr["call_type"], cdr["call_status"], cdr["call_code"]) == ("call", "ok", "200")
    assert is_about(cdr["duration"], 60.0)
    assert cdr["closed_by"] == "None"


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [(IS_BUSY, "busy", "486"), (RINGS, "cancel", "487")],
    ids=["busy", "given up"],
)
def test_a_call_that_did_not_come_about(
    mediation: Mediation, node: Node, script: Script, status: str, code: str
) -> None:
    node.registered("bob", "192.0.2.20", script=script)
    call = dial(node)
    node.wire.run(3.0)
    if call.status == 180:
        call.cancel()
    node.wire.run(40.0)

    [cdr] = mediate(mediation, node)
    assert (cdr["call_status"], cdr["call_code"], cdr["duration"]) == (status, code, "0.000")


def test_a_forwarded_call_is_a_record_for_each_leg(mediation: Mediation, node: Node) -> None:
    """Bob pays for what goes on from him to carol."""
    node.registered("carol", "192.0.2.30")
    node.change("bob", forwards=(forward("cfu", "sip:4311003@example.org"),))
    talk(node, dial(node), 30.0)

    cdrs = mediate(mediation, node)
    assert [(cdr["source_user"], cdr["call_type"]) for cdr in cdrs] == [("alice", "call"), ("bob", "cfu")]
    assert {cdr["call_status"] for cdr in cdrs} == {"ok"}
    assert is_about(cdrs[0]["duration"], 30.0)
    assert len({cdr["duration"] for cdr in cdrs}) == 1, "one call"


def test_a_call_to_a_peer(mediation: Mediation, node: Node) -> None:
    answering(node, 1, ANSWERS)
    provision(node, peer(1))
    talk(node, dial(node, "43720555"), 12.0)

    [cdr] = mediate(mediation, node)
    assert (cdr["source_user"], cdr["destination_user_in"]) == ("alice", "43720555")
    assert is_about(cdr["duration"], 12.0)
