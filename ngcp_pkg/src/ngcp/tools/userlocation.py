"""`ngcp-kamctl proxy ul …`: who is registered where."""

import contextlib
from typing import Annotated, Final

import typer

from ngcp.service.client import Unreachable, call
from ngcp.service.commands import CommandError, Json
from ngcp.tools import control
from ngcp.tools.control import STATUSES, Misconfigured, Name, ask
from ngcp.tools.table import print_rows

#: Columns: what the proxy calls them, what operators do.
REGISTRATION: Final = {
    "AoR": "Address of record",
    "Address": "Contact",
    "Expires": "Expires (s)",
    "Q": "q",
    "Received": "Received from",
    "User-Agent": "User agent",
}
BRIEF: Final = {"AoR": "Address of record"}
TABLE: Final = "location"


def _aors(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return whoever is registered and begins so."""
    return [str(row["AoR"]) for row in _quietly("ul.dump", "brief") if str(row["AoR"]).startswith(incomplete)]


def _contacts(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the contacts of the address-of-record that stands before."""
    rows = _quietly("ul.lookup", TABLE, str(ctx.params.get("aor", "")))
    return [str(row["Address"]) for row in rows if str(row["Address"]).startswith(incomplete)]


Aor = Annotated[str, typer.Argument(help="USER@DOMAIN", autocompletion=_aors)]
Contact = Annotated[str, typer.Argument(help="a SIP URI", autocompletion=_contacts)]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]

ul = typer.Typer(no_args_is_help=True, help="user locations: who is registered where")


@ul.command("show", epilog=STATUSES)
def show(
    aor: Annotated[str | None, typer.Argument(help="only of this USER@DOMAIN", autocompletion=_aors)] = None,
    brief: Annotated[bool, typer.Option("--brief", help="only who is registered")] = False,
    as_json: AsJson = False,
) -> None:
    """Show registrations."""
    if aor is not None:
        answer = ask(Name.PROXY, "ul.lookup", TABLE, aor)
    else:
        answer = ask(Name.PROXY, "ul.dump", *(["brief"] if brief else []))
    rows = _rows(answer)
    if brief:
        rows = [{"AoR": name} for name in dict.fromkeys(row["AoR"] for row in rows)]
    print_rows(list(rows), BRIEF if brief else REGISTRATION, as_json=as_json)


@ul.command("add", epilog=STATUSES)
def add(
    aor: Aor,
    contact: Contact,
    expires: Annotated[int, typer.Option(min=0, help="seconds; 0 is for ever")] = 0,
    q: Annotated[float, typer.Option("--q", min=0, max=1, help="preference; 1 rings first")] = 1.0,
    path: Annotated[str, typer.Option(help="Path values, by which the contact is reached")] = "",
    nat: Annotated[bool, typer.Option("--nat", help="it is behind NAT, and wants pings")] = False,
) -> None:
    """Register a contact by hand; one that is there already is refreshed."""
    ask(Name.PROXY, "ul.add", TABLE, aor, contact, expires, q, path, 0, int(nat))


@ul.command("rm", epilog=STATUSES)
def remove(
    aor: Aor,
    contact: Annotated[
        str | None, typer.Argument(help="only this one, a SIP URI", autocompletion=_contacts)
    ] = None,
) -> None:
    """Forget a contact, or all of a subscriber; the phone comes back when it registers next."""
    if contact is not None:
        ask(Name.PROXY, "ul.rm_contact", TABLE, aor, contact)
    else:
        ask(Name.PROXY, "ul.lookup", TABLE, aor)  # says so if nobody is registered
        ask(Name.PROXY, "ul.rm", TABLE, aor)


def _quietly(command: str, *arguments: Json) -> list[dict[str, Json]]:
    """Ask for what a shell offers; nothing if the proxy is silent."""
    with contextlib.suppress(Misconfigured, CommandError, Unreachable):
        return _rows(call(control.DAEMONS[Name.PROXY].url(), command, *arguments))
    return []


def _rows(answer: Json) -> list[dict[str, Json]]:
    """Return the contacts in Kamailio's nesting, each with whose it is; of a brief dump, only that."""
    if isinstance(answer, list):
        return [row for item in answer for row in _rows(item)]
    if not isinstance(answer, dict):
        return []
    if "AoR" not in answer:
        return [row for item in answer.values() for row in _rows(item)]
    contacts = answer.get("Contacts")
    if not isinstance(contacts, list):
        return [{"AoR": answer["AoR"]}]
    shown = [one["Contact"] for one in contacts if isinstance(one, dict)]
    return [{"AoR": answer["AoR"]} | contact for contact in shown if isinstance(contact, dict)]
