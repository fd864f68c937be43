"""The REST API: how many subscribers are created, with what else of the node works for that.

clerk (HTTPS, one connection) ─► ngcp-api ─► MariaDB
                                         ─► proxy, told of each change

A bound stands in the peer's place: 60 ms of CPU time, API, database and proxy together, are 1,000 subscribers
a minute of one core.
"""

import base64
import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, Final

import yaml

from bench import mariadb, report
from bench.daemons import SOURCE, Daemon, is_bound, running
from bench.mariadb import Database
from bench.report import Metric

TURNS: Final = 5
SUBSCRIBERS: Final = 400
"""Created in a turn."""
WITH_LOGIN: Final = 40
"""Those of a further turn that get a password for the web, too: it is hashed slowly, for a purpose."""
BOUND: Final = 60.0
"""Milliseconds of CPU time."""
LOGIN: Final = "administrator:nobody asks for it"
DOMAIN: Final = "bench.test"
HOST: Final = "127.63.1.1"
SECRET: Final = "5a" * 32


@dataclass(slots=True)
class Clerk:
    """Provisions by REST, one request after the other on the same connection."""

    connection: HTTPConnection
    made: int = 0

    def make(self, resource: str, **fields: object) -> int:
        """Create an entity and return its number; raises RuntimeError if that is refused."""
        headers = {
            "Authorization": f"Basic {base64.b64encode(LOGIN.encode()).decode()}",
            "Content-Type": "application/json",
        }
        self.connection.request("POST", f"/api/{resource}/", json.dumps(fields), headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status != 201:
            raise RuntimeError(f"{resource}: {response.status} {text}")
        return int((response.getheader("Location") or "").rpartition("/")[2])

    def make_subscriber(self, customer: int, **fields: object) -> None:
        """Create a subscriber with a primary number and an alias."""
        self.made += 1
        number = {"cc": "43", "ac": "720", "sn": str(100_000 + self.made)}
        alias = {"cc": "43", "ac": "721", "sn": str(100_000 + self.made)}
        self.make(
            "subscribers",
            username=f"bench{self.made}",
            domain=DOMAIN,
            password=f"bench-Passw0rd-{self.made}",
            customer_id=customer,
            primary_number=number,
            alias_numbers=[alias],
            **fields,
        )


@dataclass(slots=True)
class Bench:
    """The node's daemons that work for a request, and the clerk who asks."""

    api: Daemon
    beside: tuple[Daemon, ...]
    clerk: Clerk

    def run(self, customer: int, count: int, **fields: object) -> tuple[float, float]:
        """Create subscribers; return the CPU ms of one, of the API and of all together."""
        before = self._readings()
        for _ in range(count):
            self.clerk.make_subscriber(customer, **fields)
        api, beside = (after - start for after, start in zip(self._readings(), before, strict=True))
        return api / count * 1e3, (api + beside) / count * 1e3

    def _readings(self) -> tuple[float, float]:
        return self.api.cpu_seconds(), sum(daemon.cpu_seconds() for daemon in self.beside)


def measure(bench: Bench) -> list[Metric]:
    """Create subscribers turn by turn; the first turn is for warming up."""
    clerk = bench.clerk
    clerk.make("domains", domain=DOMAIN)
    contact = clerk.make("customercontacts", email="someone@example.org")
    customer = clerk.make("customers", contact_id=contact)
    costs = []
    for turn in range(TURNS + 1):
        print(f"turn {turn} of {TURNS}{'' if turn else ': warming up'}", flush=True)
        costs.append(bench.run(customer, SUBSCRIBERS))
    _, with_login = bench.run(customer, WITH_LOGIN, webusername=None, webpassword="bench-Web-Passw0rd")
    api, total = zip(*costs[1:], strict=True)
    print(f"subscribers a minute of one core: {60e3 / sorted(total)[TURNS // 2]:.0f}")
    return [
        Metric.within("cpu-ms-per-subscriber-in-all", total, BOUND),
        Metric("api-cpu-ms-per-subscriber", tuple((one, BOUND) for one in api)),
        Metric("cpu-ms-per-subscriber-with-webpassword", ((with_login, BOUND),)),
    ]


@contextlib.contextmanager
def serving(directory: Path, database: Database) -> Iterator[Bench]:
    """Run proxy and API over `database` for the time of a `with`."""
    tls = directory / "node.crt", directory / "node.key"
    _sign(*tls)
    database.open_to("kamailio-proxy")
    (directory / "secret").write_text(SECRET)
    proxy = _configuration(
        directory / "proxy.yml",
        listen=_place(5062),
        xmlrpc=_place(8000),
        load_balancer=_place(5060),
        media_relay=_place(12222),
        database={"socket": str(database.socket)},
    )
    api = _configuration(
        directory / "api.yml",
        listen=_place(1443) | {"certificate": str(tls[0]), "private_key": str(tls[1])},
        database={"socket": str(database.socket)},
        proxy_xmlrpc=f"http://{HOST}:8000/RPC2",
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "CREDENTIALS_DIRECTORY": str(directory)}
    run_proxy = running(
        _command("proxy", proxy), directory / "registrar.log", lambda: is_bound((HOST, 5062)), environment
    )
    run_api = running(_command("api", api), directory / "rest.log", lambda: _answers(1443), environment)
    with run_proxy as its_proxy, run_api as its_api:
        trusted = ssl.create_default_context(cafile=tls[0])
        clerk = Clerk(HTTPSConnection(HOST, 1443, timeout=30, context=trusted))
        yield Bench(its_api, (its_proxy, database.daemon), clerk)


def _sign(certificate: Path, key: Path) -> None:
    """Make a key, and a certificate of our own."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=node", "-days", "1"]
    files = ["-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *files], check=True, capture_output=True)


def _place(port: int) -> dict[str, Any]:
    return {"address": HOST, "port": port}


def _configuration(path: Path, **content: Mapping[str, object] | str) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


def _command(daemon: str, configuration: Path) -> list[str]:
    return [sys.executable, "-m", f"ngcp.{daemon}", "--config", str(configuration)]


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1.0):
        return True
    return False


def main() -> int:
    """Measure, print and store the results; return 1 if a target is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as home,
        mariadb.serving(Path(home)) as database,
        serving(Path(home), database) as bench,
    ):
        metrics = measure(bench)
    return report.publish("rest", metrics, "bound")
