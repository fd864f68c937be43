"""The daemon itself: HTTPS on a socket, its configuration, its end."""

import asyncio
import base64
import datetime
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest

from api.conftest import ADMINISTRATOR
from ngcp.api.__main__ import ApiService
from ngcp.api.config import Config, Database, Listen, load
from ngcp.service.config import ConfigError
from ngcp.tools.certificate import generate_key, self_sign
from private_mariadb import Server

CONFIG = """
listen:
  addresses: [127.0.0.1]
  port: 1443
  certificate: {certificate}
  private_key: {key}
database:
  socket: /run/mysqld/mysqld.sock
  timeout: 1.5
proxy_xmlrpc: http://127.0.0.1:8000/RPC2
lb_xmlrpc: http://127.0.0.1:5060/RPC2
failed_auth_attempts: 5
"""


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with node.key and node.crt."""
    home = tmp_path_factory.mktemp("tls")
    key, now = generate_key(), datetime.datetime.now(datetime.UTC)
    (home / "node.key").write_bytes(key)
    (home / "node.crt").write_bytes(self_sign(key, "node", [IPv4Address("127.0.0.1")], now))
    return home


@pytest.fixture
def file(tls: Path, tmp_path: Path) -> Path:
    path = tmp_path / "api.yml"
    path.write_text(CONFIG.format(certificate=tls / "node.crt", key=tls / "node.key"))
    return path


def configuration(tls: Path, socket: str) -> Config:
    listen = Listen(("127.0.0.1",), tls / "node.crt", tls / "node.key", 0)
    return Config(listen, Database(socket), "http://127.0.0.1:8000/RPC2", state=tls)


@asynccontextmanager
async def serving(config: Config) -> AsyncIterator[tuple[ApiService, httpx.AsyncClient]]:
    service = ApiService(config)
    await service.start()
    trusted = ssl.create_default_context(cafile=str(config.listen.certificate))
    url = f"https://127.0.0.1:{service.port}"
    client = httpx.AsyncClient(base_url=url, verify=trusted, auth=ADMINISTRATOR, trust_env=False)
    async with client:  # a package build points the proxy variables at a port where nobody is
        yield service, client
    await service.stop()


def test_https_is_served_until_the_end(database: Server, tls: Path) -> None:
    async def main() -> None:
        async with serving(configuration(tls, database.socket)) as (service, client):
            response = await client.get("/api/domains/")
            assert response.status_code == 200
            assert response.http_version == "HTTP/1.1"
            assert "Server" not in response.headers
            assert service.status() == "1 requests"
            port = service.port
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(main())


def test_nothing_is_served_without_tls(database: Server, tls: Path) -> None:
    async def main() -> bytes:
        async with serving(configuration(tls, database.socket)) as (service, _client):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            writer.write(b"GET /api/ HTTP/1.1\r\nHost: node\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert not asyncio.run(main()).startswith(b"HTTP")


def test_a_slow_body_ties_nobody_up(database: Server, tls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngcp.api.gate.PATIENCE", 0.2)

    login = base64.b64encode(":".join(ADMINISTRATOR).encode()).decode()
    request = (
        "POST /api/domains/ HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {login}\r\nContent-Length: 100\r\n\r\n{{"
    )

    async def main() -> bytes:
        config = configuration(tls, database.socket)
        trusted = ssl.create_default_context(cafile=str(config.listen.certificate))
        async with serving(config) as (service, _client):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port, ssl=trusted)
            writer.write(request.encode())
            answer = await reader.readline()
            writer.close()
            return answer

    assert asyncio.run(main()).startswith(b"HTTP/1.1 408")


def test_who_asks_for_nothing_is_hung_up_on(tls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred silent connections would shut everybody else out."""
    monkeypatch.setattr("ngcp.api.server.PATIENCE", 0.2)

    async def main() -> bytes:
        config = configuration(tls, "/nowhere")
        trusted = ssl.create_default_context(cafile=str(config.listen.certificate))
        async with serving(config) as (service, _client), asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port, ssl=trusted)
            writer.write(b"GET /api/ HTTP/1.1\r\nHost: no")
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(main()) == b""


def test_strangers_keep_no_connection(database: Server, tls: Path) -> None:
    async def main() -> tuple[str | None, str | None]:
        async with serving(configuration(tls, database.socket)) as (_service, client):
            known = await client.get("/api/domains/")
            stranger = await client.get("/api/domains/", auth=("administrator", "a guess"))
            assert stranger.status_code == 401
            return known.headers.get("Connection"), stranger.headers.get("Connection")

    assert asyncio.run(main()) == (None, "close")


def test_the_api_starts_before_its_database(tls: Path, tmp_path: Path) -> None:
    async def main() -> int:
        async with serving(configuration(tls, str(tmp_path / "nobody"))) as (_service, client):
            return (await client.get("/api/domains/")).status_code

    assert asyncio.run(main()) == 503


def test_a_port_in_use_is_an_error(database: Server, tls: Path) -> None:
    async def main() -> None:
        config = configuration(tls, database.socket)
        async with serving(config) as (service, _client):
            second = ApiService(replace(config, listen=replace(config.listen, port=service.port)))
            with pytest.raises(OSError, match="in use"):
                await second.start()
            await second.stop()

    asyncio.run(main())


def test_a_missing_certificate_is_named(tls: Path, tmp_path: Path) -> None:
    config = configuration(tls, "/nowhere")
    missing = tmp_path / "missing.crt"
    with pytest.raises(OSError, match=r"missing\.crt"):
        ApiService(replace(config, listen=replace(config.listen, certificate=missing)))


def test_the_file_is_read(file: Path) -> None:
    config = load(file)
    assert (config.listen.port, config.database.timeout) == (1443, 1.5)
    assert (config.lb_xmlrpc, config.failed_auth_attempts) == ("http://127.0.0.1:5060/RPC2", 5)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("colour: red", "colour: unknown key; allowed: listen, database, proxy_xmlrpc"),
        ("proxy_xmlrpc: 127.0.0.1:8000", "proxy_xmlrpc: http://ADDRESS:PORT/RPC2 expected"),
        ("lb_xmlrpc: 127.0.0.1:5060", "lb_xmlrpc: http://ADDRESS:PORT/RPC2 expected"),
    ],
)
def test_a_bad_file_is_refused(file: Path, line: str, problem: str) -> None:
    lines = [one for one in file.read_text().splitlines() if one.partition(":")[0] != line.partition(":")[0]]
    file.write_text(os.linesep.join([*lines, line]))
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert problem in str(caught.value)
    assert str(file) in str(caught.value)


def test_administrator_logs_in_by_certificate_until_there_is_a_new_one(
    database: Server, tls: Path, tmp_path: Path
) -> None:
    async def main() -> None:
        async with serving(configuration(tls, database.socket)) as (service, client):

            async def ask_for_one(name: str) -> Path:
                headers = {"Accept": "application/x-pem-file"}
                body = {"login": "administrator"}
                response = await client.post("/api/admincerts/", json=body, headers=headers)
                assert response.status_code == 200, response.text
                (tmp_path / name).write_bytes(response.content)
                return tmp_path / name

            async def status_with(certificate: Path) -> int:
                trusted = ssl.create_default_context(cafile=str(tls / "node.crt"))
                trusted.load_cert_chain(certificate)
                url = f"https://127.0.0.1:{service.port}"
                async with httpx.AsyncClient(base_url=url, verify=trusted, trust_env=False) as other:
                    return (await other.get("/api/domains/")).status_code

            first = await ask_for_one("first.pem")
            assert await status_with(first) == 200
            second = await ask_for_one("second.pem")
            assert (await status_with(first), await status_with(second)) == (401, 200)

    asyncio.run(main())


def test_certificate_of_a_stranger_is_refused_by_tls(database: Server, tls: Path, tmp_path: Path) -> None:
    key, now = generate_key(), datetime.datetime.now(datetime.UTC)
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(key + self_sign(key, "administrator", [], now))

    async def main() -> None:
        async with serving(configuration(tls, database.socket)) as (service, _):
            trusted = ssl.create_default_context(cafile=str(tls / "node.crt"))
            trusted.load_cert_chain(stranger)
            url = f"https://127.0.0.1:{service.port}"
            async with httpx.AsyncClient(base_url=url, verify=trusted, trust_env=False) as other:
                with pytest.raises(httpx.HTTPError):
                    await other.get("/api/domains/")

    asyncio.run(main())
