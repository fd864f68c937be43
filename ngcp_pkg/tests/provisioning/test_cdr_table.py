"""`accounting.cdr`: each leg of a call once, by months."""

import pymysql
import pytest

from private_mariadb import Server

CDR = {
    "source_user_id": "'u'",
    "source_provider_id": "1",
    "source_account_id": "1",
    "source_user": "'alice'",
    "source_domain": "'example.org'",
    "source_cli": "'4311001'",
    "destination_user_id": "'0'",
    "destination_provider_id": "1",
    "destination_account_id": "0",
    "destination_user": "'bob'",
    "destination_domain": "'example.org'",
    "destination_user_dialed": "'4311002'",
    "destination_user_in": "'4311002'",
    "destination_domain_in": "'example.org'",
    "call_status": "'ok'",
    "call_code": "'200'",
    "init_time": "1795723190.5",
    "start_time": "1795723200.123",
    "duration": "59.877",
    "call_id": "'c1'",
}


def insert(server: Server, **changes: str) -> None:
    row = CDR | changes
    server.run(f"INSERT INTO accounting.cdr ({', '.join(row)}) VALUES ({', '.join(row.values())})")


def test_a_leg_is_stored_once(database: Server) -> None:
    insert(database)
    with pytest.raises(pymysql.err.IntegrityError, match="leg_idx"):
        insert(database, duration="60")
    insert(database, branch_id="'1'")
    insert(database, start_time="1795723200.124")
    assert database.run("SELECT rating_status, export_status, COUNT(*) FROM accounting.cdr") == [
        ("unrated", "unexported", 3)
    ]


def test_a_search_by_subscriber_and_time_goes_by_an_index(database: Server) -> None:
    insert(database)
    for side, index in (("source", "suid_start_idx"), ("destination", "duid_start_idx")):
        plan = database.run(
            f"EXPLAIN SELECT * FROM accounting.cdr FORCE INDEX ({index})"
            f" WHERE {side}_user_id = 'u' AND start_time BETWEEN 1 AND 2000000000"
        )
        assert plan[0][5] == index and plan[0][3] == "range"
