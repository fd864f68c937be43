"""`ngcp-provision`: databases out of nothing, and again over what is there."""

import re
from pathlib import Path

import bcrypt
import pymysql
import pytest
from sqlalchemy import Engine, MetaData

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.tables import METADATA
from ngcp.provisioning.upgrade import administer, revisions, upgrade, wait_for
from ngcp.tools import provision
from private_mariadb import ADMINISTRATOR_PASSWORD, Server


def engine_of(server: Server) -> Engine:
    return administer(server.socket, server.user)


def drop_everything(server: Server) -> None:
    for name in ("provisioning", "kamailio", "billing", "accounting", "ngcp", "initial"):
        server.run(f"DROP DATABASE IF EXISTS {name}")
    for user in ("kamailio-proxy", "asterisk", "ngcp-api"):
        server.run(f"DROP USER IF EXISTS `{user}`@`localhost`")


def test_a_second_upgrade_does_nothing(mariadb_server: Server) -> None:
    drop_everything(mariadb_server)
    engine = engine_of(mariadb_server)
    current, needed = revisions(engine)
    assert current is None

    done = list(upgrade(engine, lambda: ADMINISTRATOR_PASSWORD))

    assert "database kamailio: created" in done
    assert f"tables: nothing -> {needed}" in done
    assert "account kamailio-proxy: created" in done
    assert "administrator administrator: added" in done
    assert revisions(engine) == (needed, needed)
    assert list(upgrade(engine, lambda: pytest.fail("asked for a password"))) == []


def test_an_interrupted_upgrade_is_finished_by_the_next(database: Server) -> None:
    """MariaDB commits each table by itself: a crash leaves tables without a revision."""
    engine = engine_of(database)
    database.run("DELETE FROM ngcp.alembic_version", "DROP TABLE kamailio.location")

    assert list(upgrade(engine, lambda: "")) == [f"tables: nothing -> {revisions(engine)[1]}"]
    assert database.run("SELECT COUNT(*) FROM kamailio.location") == [(0,)]
    assert database.run("SELECT name FROM billing.resellers") == [("default",)]


def test_who_was_here_before_voicemail_gets_a_mailbox(database: Server) -> None:
    engine = engine_of(database)
    database.run(
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid, timezone)"
        " VALUES ('alice', 'h', '', '', '', 'a1', ''), ('bob', 'h', '', '', '', 'b2', '')",
        "UPDATE ngcp.alembic_version SET version_num = 'r0012'",
    )
    list(upgrade(engine, lambda: ""))

    boxes = database.run("SELECT mailbox, password REGEXP '^[0-9]{4}$' FROM kamailio.voicemail_users")
    assert sorted(boxes) == [("a1", 1), ("b2", 1)]


def definition(server: Server, table: str) -> list[str]:
    """Return the parts of a table's definition; indexes have no order of their own."""
    text = str(server.run(f"SHOW CREATE TABLE {table}")[0][1])
    return sorted(
        re.sub(r" AUTO_INCREMENT=\d+|,$", "", line) for line in text.replace("`model_", "`").split("\n")
    )


@pytest.mark.parametrize("metadata", METADATA, ids=lambda metadata: metadata.schema)
def test_migrated_tables_are_those_of_the_models(database: Server, metadata: MetaData) -> None:
    model = f"model_{metadata.schema}"
    database.run(f"DROP DATABASE IF EXISTS {model}", f"CREATE DATABASE {model} CHARACTER SET utf8mb4")
    engine = engine_of(database).execution_options(schema_translate_map={metadata.schema: model})
    metadata.create_all(engine)

    for table in metadata.sorted_tables:
        assert definition(database, table.fullname) == definition(database, f"{model}.{table.name}")
    database.run(f"DROP DATABASE {model}")


def test_the_administrator_keeps_a_changed_password(database: Server) -> None:
    database.run("UPDATE billing.admins SET saltedpass = 'changed'")
    list(upgrade(engine_of(database), lambda: "another one"))
    assert database.run("SELECT login, saltedpass FROM billing.admins") == [("administrator", "changed")]


def test_a_lost_name_of_a_sound_comes_back(database: Server) -> None:
    database.run("DELETE FROM provisioning.voip_sound_handles WHERE name = 'callee_busy'")
    assert list(upgrade(engine_of(database), lambda: "")) == ["sounds early_rejects: 1 added"]
    assert database.run(
        "SELECT g.name FROM provisioning.voip_sound_handles h"
        " JOIN provisioning.voip_sound_groups g ON g.id = h.group_id WHERE h.name = 'callee_busy'"
    ) == [("early_rejects",)]


def test_the_administrators_password_is_kept_as_a_hash(database: Server) -> None:
    ((stored,),) = database.run("SELECT saltedpass FROM billing.admins")
    assert bcrypt.checkpw(ADMINISTRATOR_PASSWORD.encode(), str(stored).encode())


ALLOWED = (
    ("kamailio-proxy", "SELECT ha1 FROM kamailio.subscriber"),
    ("kamailio-proxy", "SELECT uuid FROM provisioning.voip_subscribers"),
    ("kamailio-proxy", "DELETE FROM kamailio.location"),
    ("ngcp-api", "SELECT saltedpass FROM billing.admins"),
    ("ngcp-api", "DELETE FROM kamailio.subscriber"),
    ("ngcp-api", "DELETE FROM provisioning.voip_subscribers"),
)
DENIED = (
    ("kamailio-proxy", "DELETE FROM kamailio.subscriber"),
    ("kamailio-proxy", "SELECT saltedpass FROM billing.admins"),
    ("kamailio-proxy", "SELECT password FROM provisioning.voip_subscribers"),
    ("ngcp-api", "DROP TABLE billing.admins"),
    ("ngcp-api", "SELECT * FROM mysql.user"),
    ("ngcp-api", "SELECT 1 INTO OUTFILE '/tmp/ngcp-api'"),
    ("ngcp-api", "DELETE FROM ngcp.alembic_version"),
)


def run_as(server: Server, user: str, statement: str) -> None:
    """Run as a daemon's account; the socket would know only ourselves, so that it gets a password for now."""
    server.run(f"ALTER USER `{user}`@`localhost` IDENTIFIED BY 'for now'")
    try:
        with pymysql.connect(
            unix_socket=server.socket, user=user, password="for now", ssl_disabled=True
        ) as connection:
            connection.cursor().execute(statement)
    finally:
        server.run(f"ALTER USER `{user}`@`localhost` IDENTIFIED VIA unix_socket")


@pytest.mark.parametrize(("user", "statement"), ALLOWED)
def test_a_daemon_may_do_its_work(database: Server, user: str, statement: str) -> None:
    run_as(database, user, statement)


@pytest.mark.parametrize(("user", "statement"), DENIED)
def test_a_daemon_may_do_nothing_else(database: Server, user: str, statement: str) -> None:
    with pytest.raises(pymysql.err.MySQLError, match="denied"):
        run_as(database, user, statement)


@pytest.mark.parametrize("user", ["kamailio-proxy", "ngcp-api"])
def test_nobody_else_gets_in_under_a_daemons_name(database: Server, user: str) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(unix_socket=database.socket, user=user)


def test_the_command_says_what_it_did(
    mariadb_server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop_everything(mariadb_server)
    password = tmp_path / "administrator"
    password.write_text(f"{ADMINISTRATOR_PASSWORD}\n")
    base = ["ngcp-provision", "--socket", mariadb_server.socket]
    status = [*base, "status"]
    work = [*base, "upgrade", "--administrator-password-file", str(password)]

    outcomes = []
    for command in (status, work, status, work):
        monkeypatch.setattr("sys.argv", command)
        outcomes.append((provision.main(), capsys.readouterr().out.splitlines()))

    assert [code for code, _ in outcomes] == [1, 0, 0, 0]
    assert outcomes[0][1][0].startswith("databases: nothing, needed: r")
    assert "administrator administrator: added" in outcomes[1][1]
    assert outcomes[3][1] == ["nothing to do"]
    assert ADMINISTRATOR_PASSWORD not in str(outcomes)


@pytest.mark.parametrize("content", ["", "short\n", "x" * 73])
def test_a_password_that_bcrypt_would_not_take_whole_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "administrator"
    file.write_text(content)
    with pytest.raises(ValueError, match="8 to 72 bytes"):
        provision.read_password(file)


def test_a_server_that_does_not_answer_is_not_waited_for_without_end(tmp_path: Path) -> None:
    engine = administer(str(tmp_path / "nobody"), "root")
    with pytest.raises(DatabaseUnavailable, match="no answer within 0"):
        wait_for(engine, 0.0)
