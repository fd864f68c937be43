"""What the daemons may do in the databases suffices for what they do."""

import asyncio
from collections.abc import Sequence

import pymysql

from ngcp.provisioning.line import Line, Row
from ngcp.provisioning.runtime import Directory, Name
from private_mariadb import Server


class Listening(Line):
    """A line that notes what is asked."""

    def __init__(self, socket: str, user: str) -> None:
        super().__init__(socket, user, 5.0)
        self.asked: list[str] = []

    async def fetch(self, statement: str) -> Sequence[Row]:
        self.asked.append(statement)
        return await super().fetch(statement)


async def ask_everything(line: Listening) -> None:
    directory, alice = Directory(line), Name("alice", "example.org")
    await directory.platform()
    await directory.subscribers([alice])
    await directory.owners([Name("4311001", "example.org")])
    await directory.named([Name("11111111-1111-4111-8111-111111111111", "")])
    await directory.ported([Name("4311001", "")])
    line.close()


def test_the_proxy_may_read_what_its_directory_asks(database: Server) -> None:
    database.run(
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid)"
        " VALUES ('alice', 'example.org', '', '', '', '11111111-1111-4111-8111-111111111111')"
    )
    line = Listening(database.socket, database.user)
    asyncio.run(ask_everything(line))
    assert len(line.asked) > 10

    account = "`kamailio-proxy`@`localhost`"
    database.run(f"ALTER USER {account} IDENTIFIED BY 'for this test'")
    connection = pymysql.connect(
        unix_socket=database.socket, user="kamailio-proxy", password="for this test", ssl_disabled=True
    )
    with connection, connection.cursor() as cursor:
        for statement in line.asked:
            cursor.execute(statement)
    database.run(f"ALTER USER {account} IDENTIFIED VIA unix_socket")
