"""`ngcp-kamctl lb|proxy …`: the questions operators ask most, answered as tables."""

import ipaddress
from typing import Annotated, Final

import typer

from ngcp.service.commands import Json
from ngcp.sip.transport.flow import format_address
from ngcp.tools import completion
from ngcp.tools.control import STATUSES, Name, ask
from ngcp.tools.sercmd import format_result
from ngcp.tools.table import print_rows
from ngcp.tools.trace import Wish, follow
from ngcp.tools.userlocation import ul

#: Columns: what the daemons call them, what operators do.
CONNECTION: Final = {"type": "Type", "remote": "Remote", "local": "Local", "state": "State"}
BAN: Final = {"table": "Table", "name": "Key", "value": "Value"}
DESTINATION: Final = {"URI": "Proxy", "FLAGS": "State", "PRIORITY": "Priority"}
#: The tables of banned addresses, and of users who failed to log in; and the entries of one user.
IPBAN: Final = "ipban"
AUTH: Final = "auth"
AUTH_KEYS: Final = ("auth_count", "last_auth")

DIALOG: Final = {
    "call-id": "Call-ID",
    "from_uri": "From",
    "to_uri": "To",
    "phase": "State",
    "duration": "Duration (s)",
    "h_entry": "Entry",
    "h_id": "Number",
}
COUNTER: Final = {"key": "Counter", "calls": "Calls"}
#: Kamailio's numbers of states.
PHASES: Final = {1: "unconfirmed", 2: "early", 3: "unacknowledged", 4: "confirmed", 5: "ended"}

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]

app = typer.Typer(no_args_is_help=True, add_completion=False, epilog=STATUSES, help=__doc__)
lb = typer.Typer(no_args_is_help=True, help="the load-balancer")
proxy = typer.Typer(no_args_is_help=True, help="the proxy and registrar")
ban = typer.Typer(no_args_is_help=True, help="who is banned")
dispatcher = typer.Typer(no_args_is_help=True, help="the proxies behind the load-balancer")
tls = typer.Typer(no_args_is_help=True, help="TLS")
dialog = typer.Typer(no_args_is_help=True, help="calls as they are now")
for group, name, parent in (
    (lb, "lb", app),
    (proxy, "proxy", app),
    (ban, "ban", lb),
    (dispatcher, "dispatcher", lb),
    (tls, "tls", lb),
    (dialog, "dialog", proxy),
    (ul, "ul", proxy),
):
    parent.add_typer(group, name=name, epilog=STATUSES)


@lb.command("uptime")
def lb_uptime() -> None:
    """Print since when the load-balancer runs."""
    print(format_result(ask(Name.LB, "uptime")))


@lb.command("stats")
def lb_stats(as_json: AsJson = False) -> None:
    """Print the load-balancer's counters."""
    print_rows(ask(Name.LB, "stats"), None, as_json=as_json)


@lb.command("connections")
def connections(as_json: AsJson = False) -> None:
    """Show TCP and TLS connections."""
    rows = ask(Name.LB, "core.tcp_list")
    if not as_json:
        rows = [_with_ends(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    print_rows(rows, CONNECTION, as_json=as_json)


@lb.command("trace")
def trace(
    pattern: Annotated[
        list[str] | None,
        typer.Argument(help="ip= user= call-id= method= status=, or a text; all must hold"),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="whole messages, not one line each")] = False,
    pcap: Annotated[str | None, typer.Option(help="write a capture FILE for wireshark; - is stdout")] = None,
    count: Annotated[int, typer.Option(min=0, help="end after so many messages; 0 is never")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show SIP messages as they pass, until Ctrl-C."""
    follow(Name.LB, " ".join(pattern or ()), Wish(pcap, not full, as_json, count))


@ban.command("show")
def ban_show(as_json: AsJson = False) -> None:
    """Show banned addresses, and users who failed to log in."""
    rows: list[Json] = []
    for table in (IPBAN, AUTH):
        slots = ask(Name.LB, "htable.dump", table)
        for slot in slots if isinstance(slots, list) else []:
            items = slot.get("slot") if isinstance(slot, dict) else None
            rows += [
                {"table": table, "name": item.get("name"), "value": item.get("value")}
                for item in (items if isinstance(items, list) else [])
                if isinstance(item, dict)
            ]
    print_rows(rows, BAN, as_json=as_json)


@ban.command("rm")
def ban_rm(who: Annotated[str, typer.Argument(help="an IP address, or a user")]) -> None:
    """Let somebody in again."""
    if _is_address(who):
        ask(Name.LB, "htable.get", IPBAN, who)  # says so if it is not banned
        ask(Name.LB, "htable.delete", IPBAN, who)
    else:
        ask(Name.LB, "htable.get", AUTH, f"{who}::{AUTH_KEYS[0]}")
        for key in AUTH_KEYS:
            ask(Name.LB, "htable.delete", AUTH, f"{who}::{key}")


@dispatcher.command("show")
def dispatcher_show(as_json: AsJson = False) -> None:
    """Show the proxies: A active, T trying, I inactive, D disabled; P probed, X not."""
    answer = ask(Name.LB, "dispatcher.list")
    rows: list[Json] = []
    _collect(answer, rows)
    print_rows(rows, DESTINATION, as_json=as_json)


@dispatcher.command("reload")
def dispatcher_reload() -> None:
    """Read the proxies from the configuration file again."""
    ask(Name.LB, "dispatcher.reload")


@tls.command("reload")
def tls_reload() -> None:
    """Read certificate and key again; connections stay."""
    ask(Name.LB, "tls.reload")


@proxy.command("uptime")
def proxy_uptime() -> None:
    """Print since when the proxy runs."""
    print(format_result(ask(Name.PROXY, "uptime")))


@proxy.command("stats")
def proxy_stats(as_json: AsJson = False) -> None:
    """Print the proxy's counters."""
    print_rows(ask(Name.PROXY, "stats"), None, as_json=as_json)


@dialog.command("show", epilog=STATUSES)
def dialog_show(as_json: AsJson = False) -> None:
    """Show the calls."""
    rows = ask(Name.PROXY, "dlg.list")
    if not as_json:
        rows = [_with_phase(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    print_rows(rows, DIALOG, as_json=as_json)


@dialog.command("show_all", epilog=STATUSES)
def dialog_show_all(as_json: AsJson = False) -> None:
    """Show everything that is known of the calls."""
    print_rows(ask(Name.PROXY, "dlg.list"), None, as_json=as_json)


@dialog.command("counters", epilog=STATUSES)
def dialog_counters(
    prefix: Annotated[str, typer.Argument(help="what their keys begin with, such as account or user:")] = "",
    as_json: AsJson = False,
) -> None:
    """Show how many calls subscribers, customers, resellers and peers have."""
    print_rows(ask(Name.PROXY, "dlgcnt.list", prefix), COUNTER, as_json=as_json)


@dialog.command("terminate", epilog=STATUSES)
def dialog_terminate(
    call_id: Annotated[
        str, typer.Argument(help="of the call, as show shows it", autocompletion=completion.calls)
    ],
) -> None:
    """End a call: both sides get a BYE."""
    ask(Name.PROXY, "dlg.terminate_dlg", call_id)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _with_phase(row: dict[str, Json]) -> Json:
    state = row.get("state")
    return row | {"phase": PHASES.get(state, str(state)) if isinstance(state, int) else str(state)}


def _with_ends(row: dict[str, Json]) -> Json:
    remote, local = ((str(row[f"{end}_ip"]), int(str(row[f"{end}_port"]))) for end in ("src", "dst"))
    return row | {"remote": format_address(remote), "local": format_address(local)}


def _collect(answer: Json, rows: list[Json]) -> None:
    """Find every destination in the nesting that Kamailio gives a dispatcher's list."""
    if isinstance(answer, dict) and "DEST" in answer:
        rows.append(answer["DEST"])
    elif isinstance(answer, dict | list):
        for item in answer.values() if isinstance(answer, dict) else answer:
            _collect(item, rows)


def main() -> None:
    """Run the command line."""
    completion.run(app, "ngcp-kamctl")
