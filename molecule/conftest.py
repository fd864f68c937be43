"""What the tests of a whole node share: the machine, two phones, and its journal when a test fails."""

import os
from collections.abc import Generator, Iterator
from typing import Final

import pytest
from testinfra.host import Host

from lab import nodes, ssh
from lab.call import register
from lab.errors import LabError
from lab.machines import Machine
from lab.rest import RestClient
from lab.sipp import Phone
from lab.subscribers import provision

#: Those whose words explain why a test failed.
SERVICES: Final = (
    *("kamailio-lb", "kamailio-proxy", "ngcp-rtpengine-daemon", "ngcp-sems", "asterisk", "ngcp-mediator"),
    "ngcp-api",
    *("ngcp-firstboot", "mariadb", "redis-server", "nftables"),
)


def the_node() -> nodes.Node:
    """Find the machine of the scenario that Molecule is running."""
    return nodes.node(f"molecule-{os.environ['MOLECULE_SCENARIO_NAME']}")


@pytest.fixture(scope="session")
def node() -> nodes.Node:
    """Name the scenario's node."""
    return the_node()


@pytest.fixture(scope="session")
def machine(node: nodes.Node) -> Machine:
    """Give its name and address."""
    return node.machine


@pytest.fixture(scope="session")
def rest(node: nodes.Node) -> RestClient:
    """Reach its REST API as its administrator."""
    return RestClient(node.machine.address, nodes.password(node))


@pytest.fixture(scope="session")
def phones(rest: RestClient) -> tuple[Phone, Phone]:
    """Register two phones of two subscribers."""
    first, second = provision(rest)
    for phone in (first, second):
        register(phone, rest.address)
    return first, second


@pytest.fixture
def operator(host: Host) -> Iterator[Host]:
    """Let somebody change the configuration, and restore it."""
    before = host.check_output("git -C /etc/ngcp-config rev-parse HEAD")
    yield host
    host.check_output(f"git -C /etc/ngcp-config reset --quiet --hard {before}")
    # git writes the file anew, and knows no permissions.
    host.check_output("cd /etc/ngcp-config && chgrp _ngcp-admin config.yml && chmod 660 config.yml")
    host.check_output("ngcpcfg apply 'restore'")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the node said during a test to the report of its failure."""
    report = yield
    if report.failed:
        report.sections.append((f"journal of the node during {item.name}", _journal_since(call.start)))
    return report


def _journal_since(moment: float) -> str:
    """Read the end of what the node's services said; a node that cannot be asked is a finding as well."""
    units = " ".join(f"--unit={unit}" for unit in SERVICES)
    command = f"journalctl --no-pager --output=short-precise --since=@{moment:.0f} {units} | tail -n 200"
    try:
        return ssh.output(the_node().machine, command)
    except LabError as problem:
        return str(problem)
