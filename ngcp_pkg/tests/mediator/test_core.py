"""Records in, CDRs out, with real servers."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from mediator.calls import DATABASES, LONGEST, PATIENCE, START, UUID, Node, destination, source, start, stop
from ngcp.provisioning.engine import DatabaseUnavailable
from private_mariadb import Server
from private_redis import RedisServer

#: What the server does not like but takes.
pytestmark = pytest.mark.filterwarnings("ignore::Warning:aiomysql")

Scene = Callable[[Node], Awaitable[None]]
Play = Callable[[Scene], Node]


@pytest.fixture
def play(database: Server, redis_server: RedisServer) -> Play:
    def run(scene: Scene) -> Node:
        node = Node(database, redis_server)

        async def main() -> None:
            try:
                await scene(node)
            finally:
                await node.stop()

        asyncio.run(main())
        return node

    return run


def test_an_answered_call(play: Play) -> None:
    async def scene(node: Node) -> None:
        rows = [start(), stop(at=START + 59.877)]
        node.to_redis(*rows)
        await node.to_acc(*rows)
        await node.work()

    node = play(scene)
    columns = "source_user_id source_account_id source_user source_cli source_gpp0 destination_user_dialed"
    assert node.cdrs(*columns.split()) == [(f"{UUID}1", "7", "alice", "4311001", "x", "4311002")]
    columns = "call_type call_status call_code init_time start_time duration call_id branch_id closed_by"
    assert node.cdrs(*columns.split()) == [
        ("call", "ok", "200", f"{START - 5:.3f}", f"{START:.3f}", "59.877", "c1", "0", "None")
    ]
    assert node.backup() == [("c1", "BYE", "0"), ("c1", "INVITE", "0")]
    assert node.left() == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("480", "noanswer"),
        ("487", "cancel"),
        ("486", "busy"),
        ("408", "timeout"),
        ("404", "offline"),
        ("503", "other"),
    ],
)
def test_a_call_that_was_not_answered(play: Play, code: str, status: str) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(code=code))
        await node.work(1)

    node = play(scene)
    assert node.cdrs() == [("c1", "0", status, "0.000")]
    assert node.left() == []


def test_a_call_goes_on_until_its_stop_record(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start())
        await node.work()
        assert node.cdrs() == []
        assert [waiting.entry.row for waiting in node.mediator.pool.open] == [start()]
        node.to_redis(stop())
        await node.work(1)

    assert play(scene).cdrs() == [("c1", "0", "ok", "60.000")]


def test_a_forwarded_call_is_a_pair_of_records(play: Play) -> None:
    async def scene(node: Node) -> None:
        second = start(src_leg=source(uuid=f"{UUID}2", s="cfna"), branch_id="1")
        node.to_redis(start(), second, stop())
        await node.work(1)

    node = play(scene)
    assert node.cdrs("branch_id", "call_type", "source_user_id", "duration") == [
        ("0", "call", f"{UUID}1", "60.000"),
        ("1", "cfna", f"{UUID}2", "60.000"),
    ]
    assert node.backup() == [("c1", "BYE", "0"), ("c1", "INVITE", "0"), ("c1", "INVITE", "1")]


def test_a_leg_whose_record_comes_when_the_call_is_stored(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(), stop())
        await node.work(1)
        node.to_redis(start(branch_id="1"))
        await node.work(1)

    node = play(scene)
    assert [row[3] for row in node.cdrs()] == ["60.000", "60.000"]
    assert node.left() == []


def test_a_transfer_is_a_call_of_its_own_under_the_same_call_id(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(), start("c1_xfer-1", START + 10), stop())
        await node.work(1)
        node.to_redis(stop("c1_xfer-1", START + 30))
        await node.work(1)

    assert play(scene).cdrs() == [("c1", "0", "ok", "60.000"), ("c1", "0_xfer-1", "ok", "20.000")]


def test_a_stop_record_of_the_other_side_ends_the_call(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(stop("c1_b2b-1"))
        await node.work(1)
        node.to_redis(start())
        await node.work(1)

    node = play(scene)
    assert node.cdrs() == [("c1", "0", "ok", "60.000")]
    assert node.left() == []


def test_who_hangs_up_does_not_matter(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(), stop(from_tag="to-c1", to_tag="from-c1"))
        await node.work(1)

    assert play(scene).cdrs() == [("c1", "0", "ok", "60.000")]


def test_a_bye_with_other_tags_ends_nothing(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(), stop(from_tag="forged"))
        await node.work()
        assert node.cdrs() == []
        node.to_redis(stop(at=START + 90))
        await node.work(1)

    assert play(scene).cdrs() == [("c1", "0", "ok", "90.000")]


def test_of_two_stop_records_the_first_counts(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(stop(at=START + 61), start(), stop())
        await node.work(1)
        node.to_redis(stop(at=START + 62))
        await node.work(1)

    node = play(scene)
    assert node.cdrs() == [("c1", "0", "ok", "60.000")]
    assert node.trash() == [("c1", "BYE", "the call has ended already")] * 2


def test_the_clock_is_set_back_during_a_call(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(), stop(at=START - 3600))
        await node.work(1)

    assert play(scene).cdrs() == [("c1", "0", "ok", "0.000")]


def test_what_redis_lost_is_in_the_table(play: Play) -> None:
    async def scene(node: Node) -> None:
        await node.to_acc(start(), stop())
        await node.work(2)

    node = play(scene)
    assert node.cdrs() == [("c1", "0", "ok", "60.000")]
    assert node.left() == []


def test_redis_is_away(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.redis.kill()
        await node.to_acc(start(), stop())
        await node.work(2)
        assert node.cdrs() == [("c1", "0", "ok", "60.000")]
        assert node.mediator.is_redis_away
        node.redis.start()
        node.to_redis(start(), stop(), start("c2", code="486"))
        await node.work(1)

    node = play(scene)
    assert node.cdrs() == [("c1", "0", "ok", "60.000"), ("c2", "0", "busy", "0.000")]
    assert node.left() == []


def test_records_that_come_again_make_nothing_new(play: Play) -> None:
    async def scene(node: Node) -> None:
        for _ in range(2):
            node.to_redis(start(), stop())
            await node.work(1)
            await node.to_acc(start(), stop())
            await node.work(2)
            await node.stop()
            node.start()

    node = play(scene)
    assert node.cdrs() == [("c1", "0", "ok", "60.000")]
    assert node.left() == []


def test_two_mediators(play: Play) -> None:
    async def scene(node: Node) -> None:
        other = Node(node.database, node.redis)
        await node.work(1)
        node.to_redis(start(), stop())
        await other.work(1)
        assert not other.mediator.is_active
        assert node.cdrs() == []
        await node.stop()
        await asyncio.sleep(0.1)
        await other.work(1)
        assert other.mediator.is_active
        await other.stop()

    assert play(scene).cdrs() == [("c1", "0", "ok", "60.000")]


def test_the_database_is_away(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start())
        await node.work(1)
        broken, node.line._options["unix_socket"] = node.line._options["unix_socket"], "/nonexistent"
        node.line.close()
        node.to_redis(stop())
        with pytest.raises(DatabaseUnavailable):
            await node.work(1)
        assert len(node.mediator.pool) == 0
        node.line._options["unix_socket"] = broken
        await node.work(1)

    assert play(scene).cdrs() == [("c1", "0", "ok", "60.000")]


GARBAGE = {
    "src_leg is no JSON": start(src_leg="{"),
    "src_leg is no JSON object": start(src_leg="[]"),
    "src_leg: u is missing": start(src_leg=json.dumps({"s": "call", "cli": "", "t": 1})),
    "src_leg: s is 'cfx', no type of call": start(src_leg=source(s="cfx")),
    "src_leg: t is None": start(src_leg=source(t=None)),
    "src_leg: a_id is -1": start(src_leg=source(a_id=-1)),
    "src_leg: gpp is no list": start(src_leg=source(gpp=7)),
    "dst_leg: dialed is {}": start(dst_leg=destination(dialed={})),
    "no INVITE and no BYE": start(method="REFER"),
    "time is 'soon'": start(time="soon"),
    "time_hires is 'soon'": start(time_hires="soon"),
    "it has no callid or no method": start(method=""),
}


@pytest.mark.parametrize(("reason", "row"), GARBAGE.items(), ids=GARBAGE)
def test_what_cannot_be_used_is_kept_with_the_reason(play: Play, reason: str, row: object) -> None:
    async def scene(node: Node) -> None:
        assert isinstance(row, tuple)
        garbage = start()._replace(**dict(zip(start()._fields, row, strict=True)))
        node.to_redis(garbage._replace(sip_code="486"), start("c2"), stop("c2"))
        await node.work(1)

    node = play(scene)
    assert str(node.trash()[0][2]).startswith(reason)
    assert node.cdrs() == [("c2", "0", "ok", "60.000")]
    assert node.left() == []


def test_the_stop_record_of_a_call_that_cannot_be_used(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(src_leg="{"), stop())
        await node.work(1)

    node = play(scene)
    assert [row[1] for row in node.trash()] == ["INVITE", "BYE"]
    assert node.left() == []


def test_a_value_that_mariadb_refuses_concerns_one_call(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start(code="486", time="2026-13-45 00:00:00"), start("c2", code="486"))
        await node.work(1)

    node = play(scene)
    assert "time" in str(node.trash()[0][2])
    assert node.cdrs() == [("c2", "0", "busy", "0.000")]


def test_whatever_text_a_caller_sends(play: Play) -> None:
    async def scene(node: Node) -> None:
        nasty = "'; DROP TABLE accounting.cdr; --\\\"\udcffä" + "9" * 500
        node.to_redis(start(src_leg=source(u=nasty, cli=nasty), sip_reason=nasty[-9:], code="486"))
        await node.work(1)

    ((user,),) = play(scene).cdrs("source_user")
    assert user.startswith("'; DROP TABLE accounting.cdr; --\\\"?ä999") and len(user) == 255


def test_a_call_id_that_is_longer_than_its_column(play: Play) -> None:
    async def scene(node: Node) -> None:
        rows = start("c" * 300), stop("c" * 300)
        node.to_redis(*rows)
        await node.to_acc(*rows)
        await node.work()

    node = play(scene)
    assert node.cdrs("duration") == [("60.000",)]
    assert node.left() == []


def test_how_a_call_sounded(play: Play) -> None:
    async def scene(node: Node) -> None:
        means = {"avg_score": 4.3, "avg_packetloss": 1, "avg_jitter": 5.5, "avg_rtt": 20}
        leg = json.dumps({"mos": means})
        node.to_redis(start("c0", code="486"), start(), stop(dst_leg=leg), start("c2"), stop("c2"))
        await node.work(1)

    node = play(scene)
    rows = node.database.run(
        "SELECT call_id, mos_average, mos_average_jitter FROM accounting.cdr"
        " JOIN accounting.cdr_mos_data ON cdr_id = id AND cdr_start_time = start_time"
    )
    assert [tuple(map(str, row)) for row in rows] == [("c1", "4.30", "5.50")]


def test_whose_reseller_and_which_peer(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.database.run(
            "INSERT INTO billing.contacts (id, reseller_id) VALUES (91, 1)",
            "INSERT INTO billing.contracts (id, contact_id, product_id)"
            " SELECT 92, 91, MIN(id) FROM billing.products",
            "INSERT INTO billing.domains (id, domain, reseller_id) VALUES (93, 'example.org', 1)",
            "INSERT INTO billing.voip_subscribers (contract_id, uuid, username, domain_id)"
            f" VALUES (92, '{UUID}1', 'alice', 93)",
            "INSERT INTO provisioning.voip_peer_groups (id, name, peering_contract_id)"
            " VALUES (94, 'carrier', 92)",
            "INSERT INTO provisioning.voip_peer_hosts (id, group_id, name, ip)"
            " VALUES (95, 94, 'h', '192.0.2.9')",
        )
        node.to_redis(start(dst_leg=destination(uuid="0", lcr=95), code="486"))
        await node.work(1)

    node = play(scene)
    ((reseller,),) = node.database.run("SELECT contract_id FROM billing.resellers WHERE id = 1")
    assert node.cdrs("source_provider_id", "destination_provider_id", "destination_user_id") == [
        (str(reseller), "92", "0")
    ]


# Calls without a stop record


def dialog(ends: float, session_ends: float = 0.0) -> str:
    sides = {"caller": ["", "from-c1"], "callee": ["", "to-c1"]}
    return json.dumps(sides | {"ends": ends, "session_ends": session_ends})


def keep_dialog(node: Node, text: str, name: str = "c1") -> None:
    node.redis.ask(DATABASES.own, "HSET", "calls", name, text)


def test_a_dialog_that_is_gone(play: Play) -> None:
    async def scene(node: Node) -> None:
        keep_dialog(node, dialog(START + LONGEST), "c1;from-c1")
        node.to_redis(start())
        await node.work(1)
        await node.work(1, 3600)
        node.redis.ask(DATABASES.own, "DEL", "calls")
        await node.work(1, 60)
        await node.work(1, PATIENCE - 1)
        assert node.cdrs() == []
        await node.work(1, 60)

    assert play(scene).cdrs("duration", "closed_by") == [("3901.000", "dialog")]


def test_a_session_that_nobody_refreshes_and_nobody_ends(play: Play) -> None:
    async def scene(node: Node) -> None:
        keep_dialog(node, dialog(START + LONGEST, START + 1800))
        node.to_redis(start())
        await node.work(1)
        keep_dialog(node, dialog(START + LONGEST, START + 3600))
        await node.work(1, 3200)
        assert node.cdrs() == []
        await node.work(1, 200)

    assert play(scene).cdrs("duration", "closed_by") == [("3600.000", "session")]


def test_a_call_of_which_nobody_knows_more(play: Play) -> None:
    async def scene(node: Node) -> None:
        await node.to_acc(start())
        await node.work()
        await node.work(1, LONGEST - 400)
        assert node.cdrs() == []
        await node.work(1, 300)

    assert play(scene).cdrs("duration", "closed_by") == [("21600.000", "maximum")]


def test_the_clock_is_set_forward_by_a_day(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start())
        await node.work(1)
        node.now = node.now._replace(unix=node.now.unix + 86_400)
        await node.work(1, 60)
        assert node.cdrs() == []
        node.to_redis(stop())
        await node.work(1)

    assert play(scene).cdrs() == [("c1", "0", "ok", "60.000")]


def test_a_stop_record_that_comes_when_the_call_is_closed(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(start())
        await node.work(1)
        await node.work(1, LONGEST + 100)
        node.to_redis(stop())
        await node.work(1)

    node = play(scene)
    assert node.cdrs("closed_by") == [("maximum",)]
    assert node.trash() == [("c1", "BYE", "the call has ended already")]


def test_a_stop_record_without_a_call(play: Play) -> None:
    async def scene(node: Node) -> None:
        node.to_redis(stop())
        await node.work(1)
        await node.work(1, PATIENCE - 1)
        assert node.trash() == []
        await node.work(1, 60)
        assert node.trash() == [("c1", "BYE", "there is no start record")]
        node.to_redis(start())  # the proxy had it all the time
        await node.work(1)

    node = play(scene)
    assert node.cdrs() == [("c1", "0", "ok", "60.000")]
    assert node.left() == []
