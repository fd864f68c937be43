"""The daemon as two processes on loopback: phones reach both, and all ends together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import yaml

from lb.ports import free_port, free_ports
from ngcp.service.workers import MAXIMUM
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport.flow import Address

PROJECT = Path(__file__).parents[2]
PUBLIC, INSIDE = "127.0.0.2", "127.0.0.1"
#: So many phones are never all with one worker (but once in 2 ** 31).
PHONES = 32


def environment(directory: Path) -> dict[str, str]:
    """Return what systemd gives the daemon."""
    here = str(directory)
    return {**os.environ, "PYTHONPATH": "src", "CREDENTIALS_DIRECTORY": here, "STATE_DIRECTORY": here}


class Unit:
    """The daemon, and the proxy behind it, which is this test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port, self.worker_port = free_port(), free_ports(MAXIMUM - 1)
        self.proxy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.proxy.bind((INSIDE, 0))
        self.proxy.settimeout(20.0)
        self.configuration: dict[str, object] = {
            "public": {"address": PUBLIC, "port": self.port},
            "internal": {"port": self.port, "xmlrpc_port": self.port, "worker_port": self.worker_port},
            "proxies": [{"port": self.proxy.getsockname()[1]}],
        }
        self.configuration["metrics"] = {"port": free_port()}
        (directory / "secret").write_text("5a" * 32)
        self.start(2)

    def start(self, workers: int) -> None:
        """Start the daemon."""
        path = self.directory / "lb.yml"
        path.write_text(yaml.safe_dump({**self.configuration, "workers": workers}))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ngcp.lb", "--config", str(path)],
            env=environment(self.directory),
            cwd=PROJECT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return once the main process, which is the last, serves."""
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection((INSIDE, self.port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.process.kill()
        raise AssertionError(self.process.communicate())

    @property
    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def call(self, name: str, *arguments: str | int) -> object:
        """Ask the main process."""
        with xmlrpc.client.ServerProxy(f"http://{INSIDE}:{self.port}/RPC2") as daemon:
            result: object = getattr(daemon, name)(*arguments)
        return result

    def stats(self) -> dict[str, int]:
        """Return the counters of all workers."""
        return cast("dict[str, int]", self.call("stats"))

    def metrics(self) -> str:
        """Return what Prometheus gets."""
        port = cast("dict[str, int]", self.configuration["metrics"])["port"]
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"http://{INSIDE}:{port}/metrics", timeout=20.0
        ) as answer:
            return cast(bytes, answer.read()).decode()

    def ended(self) -> tuple[int, str]:
        """Return the exit status and what was logged."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors

    def receive(self) -> tuple[Request, Address]:
        """Return what the proxy gets next from the edge, and where from."""
        data, source = self.proxy.recvfrom(65535)
        message = parse(data)
        assert isinstance(message, Request)
        return message, source


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    unit = Unit(tmp_path)
    yield unit
    if unit.process.poll() is None:
        unit.process.kill()
        unit.process.communicate()
    unit.proxy.close()


class RealPhone:
    """A phone with a socket of the system's."""

    def __init__(self, unit: Unit) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((PUBLIC, 0))
        self.socket.settimeout(20.0)
        self.socket.connect((PUBLIC, unit.port))
        self.port = self.socket.getsockname()[1]

    def send(self, method: str) -> None:
        lines = [
            f"Via: SIP/2.0/UDP {PUBLIC}:{self.port};branch=z9hG4bK{method}{self.port}",
            f"From: <sip:{self.port}@h>;tag=1",
            f"To: <sip:{self.port}@h>",
            f"Call-ID: {method}{self.port}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:{self.port}@{PUBLIC}:{self.port}>",
            "Content-Length: 0",
        ]
        self.socket.send(bytes(Request(method, "sip:h", lines)))

    def receive(self) -> Request | Response:
        return parse(self.socket.recv(65535))


def has_ended(pid: int) -> bool:
    """Whether a process is no more, or only waits to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 20.0
    while not has_ended(pid):
        assert time.monotonic() < deadline, f"{pid} lives on"
        time.sleep(0.05)


def test_phones_are_with_one_of_two_workers_and_are_reached_by_it(unit: Unit) -> None:
    """REGISTER, then a request from inside along the Path: both by one worker, and the answers back."""
    phones = [RealPhone(unit) for _ in range(PHONES)]
    workers = set()
    for phone in phones:
        phone.send("REGISTER")
        request, worker = unit.receive()
        workers.add(worker)
        path = request.first("Path")
        assert f"sip:lb@{worker[0]}:{worker[1]};" in path
        unit.proxy.sendto(bytes(request.reply(200)), worker)
        registered = phone.receive()
        assert isinstance(registered, Response)

        lines = [f"Via: SIP/2.0/UDP {INSIDE}:{unit.proxy.getsockname()[1]};branch=z9hG4bKp{phone.port}"]
        lines += [f"Route: {path}", "From: <sip:p@h>;tag=2", f"To: <sip:{phone.port}@h>", "CSeq: 1 MESSAGE"]
        lines += [f"Call-ID: p{phone.port}", "Content-Length: 0"]
        uri = f"sip:{phone.port}@{PUBLIC}:{phone.port}"
        unit.proxy.sendto(bytes(Request("MESSAGE", uri, lines)), worker)
        asked = phone.receive()
        assert isinstance(asked, Request)
        phone.socket.send(bytes(asked.reply(200, to_tag="3")))
        data, source = unit.proxy.recvfrom(65535)
        assert (data.partition(b"\r\n")[0], source) == (b"SIP/2.0 200 OK", worker)

    assert workers == {(INSIDE, unit.port), (INSIDE, unit.worker_port)}
    stats = unit.stats()
    assert "handed_over" not in stats
    assert stats["requests.REGISTER"] == PHONES, "of both workers"


def test_the_answer_to_what_names_no_worker_is_handed_over(unit: Unit) -> None:
    """A peer inside knows the first worker only; half of the phones are the other's."""
    uri = f"sip:{{0}}@{PUBLIC}:{{0}}"
    # All are open at once: a port that came again would bring a branch that was there before.
    phones = [RealPhone(unit) for _ in range(PHONES)]
    for phone in phones:
        lines = [f"Via: SIP/2.0/UDP {INSIDE}:{unit.proxy.getsockname()[1]};branch=z9hG4bKp{phone.port}"]
        lines += ["From: <sip:p@h>;tag=2", f"To: <sip:{phone.port}@h>", "CSeq: 1 MESSAGE"]
        lines += [f"Call-ID: p{phone.port}", "Content-Length: 0"]
        request = Request("MESSAGE", uri.format(phone.port), lines)
        unit.proxy.sendto(bytes(request), (INSIDE, unit.port))
        asked = phone.receive()
        assert isinstance(asked, Request)
        phone.socket.send(bytes(asked.reply(200, to_tag="3")))
        data, source = unit.proxy.recvfrom(65535)
        assert (data.partition(b"\r\n")[0], source) == (b"SIP/2.0 200 OK", (INSIDE, unit.port))

    assert 0 < unit.stats()["handed_over"] < PHONES


def test_what_an_operator_asks_all_workers_answer(unit: Unit) -> None:
    (worker,) = unit.children
    trace = unit.call("trace.start", "method=OPTIONS")
    peers = {f"{PUBLIC}:{ask_by_tcp(unit)}" for _ in range(PHONES)}

    assert unit.call("core.ps") == [unit.process.pid, "main process", worker, "worker 1"]
    seen = cast("dict[str, list[dict[str, str]]]", unit.call("trace.read", cast(int, trace)))["messages"]
    assert {message["remote"] for message in seen} == peers
    assert len(seen) == 2 * PHONES
    assert unit.stats()["received.tcp"] == PHONES
    assert f'ngcp_lb_received_messages_total{{transport="tcp"}} {PHONES}\n' in unit.metrics()
    with pytest.raises(xmlrpc.client.Fault, match="no proxy sip:x"):
        unit.call("dispatcher.set_state", "d", 1, "sip:x")


def test_a_ban_that_an_operator_sets_holds_with_both_workers(unit: Unit) -> None:
    phones = [RealPhone(unit) for _ in range(PHONES)]
    unit.call("htable.seti", "ipban", "203.0.113.7", 1)
    unit.call("htable.delete", "ipban", "203.0.113.7")
    unit.call("htable.seti", "ipban", PUBLIC, 1)
    unit.call("core.ps")  # what was said before has been heard when this is answered
    for phone in phones:
        phone.send("OPTIONS")
    deadline = time.monotonic() + 20.0
    while unit.stats().get("banned", 0) < PHONES:
        assert time.monotonic() < deadline, unit.stats()

    assert unit.stats()["bans.ipban"] == 1
    assert unit.stats()["banned"] == PHONES


def ask_by_tcp(unit: Unit) -> int:
    """Send a keep-alive over a connection, and return its port."""
    with socket.create_connection((PUBLIC, unit.port), 20.0, (PUBLIC, 0)) as phone:
        port = int(phone.getsockname()[1])
        lines = [f"Via: SIP/2.0/TCP {PUBLIC}:{port};branch=z9hG4bK{port}", "From: <sip:a@h>;tag=1"]
        lines += ["To: <sip:h>", f"Call-ID: {port}", "CSeq: 1 OPTIONS", "Content-Length: 0"]
        phone.sendall(bytes(Request("OPTIONS", f"sip:{PUBLIC}:{unit.port}", lines)))
        assert phone.recv(65535).startswith(b"SIP/2.0 200 OK\r\n")
    return port


def test_a_worker_that_dies_ends_the_unit_and_the_log_says_why(unit: Unit) -> None:
    (worker,) = unit.children
    os.kill(worker, signal.SIGKILL)

    status, log = unit.ended()

    assert status == os.EX_SOFTWARE
    assert "<2>ngcp.service.workers: worker 1 ended, so do all: signal 9\n" in log


def test_workers_end_with_the_main_process(unit: Unit) -> None:
    (worker,) = unit.children
    unit.process.kill()
    unit.process.wait()

    wait_for_end(worker)


def test_sigterm_ends_all_in_order(unit: Unit) -> None:
    (worker,) = unit.children
    unit.process.terminate()

    assert unit.ended() == (os.EX_OK, "")
    assert has_ended(worker)


def test_one_worker_listens_for_the_other_that_is_no_more(unit: Unit) -> None:
    phone = RealPhone(unit)
    unit.process.terminate()
    unit.ended()
    unit.start(1)

    uri = f"sip:{phone.port}@{PUBLIC}:{phone.port}"
    lines = [f"Via: SIP/2.0/UDP {INSIDE}:{unit.proxy.getsockname()[1]};branch=z9hG4bKp{phone.port}"]
    lines += [f"Route: <sip:lb@{INSIDE}:{unit.worker_port};lr;received=sip:{PUBLIC}:{phone.port}>"]
    lines += ["From: <sip:p@h>;tag=2", f"To: <sip:{phone.port}@h>", "CSeq: 1 MESSAGE"]
    lines += [f"Call-ID: p{phone.port}", "Content-Length: 0"]
    unit.proxy.sendto(bytes(Request("MESSAGE", uri, lines)), (INSIDE, unit.worker_port))
    asked = phone.receive()
    assert isinstance(asked, Request)
    phone.socket.send(bytes(asked.reply(200, to_tag="3")))

    assert unit.proxy.recv(65535).startswith(b"SIP/2.0 200 OK\r\n")
    assert unit.children == []


def test_an_address_in_use_is_told_by_whoever_meets_it(unit: Unit, tmp_path: Path) -> None:
    """The first worker to start finds it; the main process then has nothing to lead."""
    path = tmp_path / "other.yml"
    other = yaml.safe_load((tmp_path / "lb.yml").read_text())
    other["internal"]["port"] = other["internal"]["xmlrpc_port"] = free_port()
    path.write_text(yaml.safe_dump(other))
    process = subprocess.run(
        [sys.executable, "-m", "ngcp.lb", "--config", str(path)],
        env=environment(tmp_path),
        cwd=PROJECT,
        text=True,
        capture_output=True,
        check=False,
    )

    assert process.returncode == os.EX_UNAVAILABLE
    assert "in use" in process.stderr
    assert "<3>kamailio-lb: cannot start: worker 1 does not serve: exit status 69\n" in process.stderr
