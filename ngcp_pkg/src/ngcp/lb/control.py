"""Commands that operators send to the load-balancer."""

import time
from collections import Counter
from collections.abc import Callable

from ngcp.lb.colleagues import Colleagues
from ngcp.lb.config import Configuration
from ngcp.lb.core import LoadBalancer
from ngcp.lb.dispatcher_control import add_dispatcher
from ngcp.lb.fanout import OWN, total
from ngcp.lb.tables import TableCommands
from ngcp.lb.trace import Traces, add_traces
from ngcp.service.commands import CommandTable, Json
from ngcp.service.statistics import Statistics, add_statistics
from ngcp.sip.transport.flow import Flow


def make_commands(
    core: LoadBalancer, reread: Callable[[], Configuration], colleagues: Colleagues | None = None
) -> CommandTable:
    """Return the table of the load-balancer's commands; `reread` reads the configuration file again.

    With `colleagues` its counters are of all workers.
    """
    table = CommandTable("kamailio-lb")
    if colleagues is None:
        add_statistics(table, lambda: statistics(core))
    else:
        add_statistics(table, lambda: total(statistics(core), colleagues))
    table.add(OWN, lambda: {**statistics(core)}, "counters of this process alone")
    table.add("tm.stats", lambda: transactions(core), "transactions alive, and final answers by class")
    table.add("core.tcp_info", lambda: tcp_info(core), "how many TCP and TLS connections there are")
    table.add("core.tcp_list", lambda: connections(core), "every TCP and TLS connection")
    add_traces(table, Traces(core, time.time))
    TableCommands(core.protection.tables, time.monotonic).add_to(table)
    table.add("tls.list", lambda: connections(core, "tls"), "every TLS connection")
    add_dispatcher(table, core.dispatcher, lambda: reread().proxies)
    return table


def statistics(core: LoadBalancer) -> Statistics:
    """Return counters by name, and what is alive now."""
    open_ = Counter(flow.transport for flow in core.flows)
    alive: Statistics = {"transactions": core.transactions, "connections": core.connections}
    alive |= {f"open_connections.{transport}": number for transport, number in sorted(open_.items())}
    alive |= {f"bans.{name}": len(table) for name, table in core.protection.tables.items()}
    used = sum(destination.is_used for destination in core.dispatcher.destinations.values())
    alive |= {"dispatcher.proxies": len(core.dispatcher.destinations), "dispatcher.proxies_used": used}
    return alive | dict(sorted(core.counters.items()))


def transactions(core: LoadBalancer) -> dict[str, Json]:
    """Return what Kamailio's transaction module counts, as far as it is counted here."""
    classes = {f"{digit}xx": core.counters[f"responses.{digit}xx"] for digit in "65432"}
    return {"current": core.transactions, "rpl_sent": sum(classes.values()), **classes}


def tcp_info(core: LoadBalancer) -> dict[str, Json]:
    """Return the connections' numbers."""
    tls = sum(flow.transport == "tls" for flow in core.flows)
    return {"opened_connections": core.connections, "opened_tls_connections": tls}


def connections(core: LoadBalancer, transport: str | None = None) -> list[Json]:
    """Return the connections, of one transport or all, in a lasting order."""
    flows = sorted(flow for flow in core.flows if transport in (None, flow.transport))
    return [_row(number, flow) for number, flow in enumerate(flows, 1)]


def _row(number: int, flow: Flow) -> Json:
    (dst_ip, dst_port), (src_ip, src_port) = flow.local, flow.remote
    return {
        "id": number,
        "type": flow.transport.upper(),
        "state": "CONN_OK",
        "src_ip": src_ip,
        "src_port": src_port,
        "dst_ip": dst_ip,
        "dst_port": dst_port,
    }
