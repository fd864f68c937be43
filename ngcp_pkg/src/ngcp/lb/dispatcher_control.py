"""Commands about the proxies behind the load-balancer, in the shapes of Kamailio's module dispatcher."""

from collections.abc import Callable, Sequence
from typing import Final

from ngcp.lb.config import Proxy
from ngcp.lb.dispatcher import Destination, Dispatcher, State
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.config import ConfigError
from ngcp.sip.transport.flow import format_address

#: There is one set; Kamailio numbers several.
SET: Final = 1
#: What `dispatcher.set_state` takes; Kamailio's p behind it, for probing, changes nothing here.
STATES: Final = {letter: state for state in State for letter in (state.value, state.value.lower())}


def add_dispatcher(
    table: CommandTable, dispatcher: Dispatcher, reread: Callable[[], Sequence[Proxy]]
) -> None:
    """Offer the commands; `reread` returns the proxies that the configuration file names now."""
    table.add(
        "dispatcher.list",
        lambda: describe(dispatcher),
        "the proxies: A active, T trying, I inactive, D disabled; P probed, X not",
    )
    table.add(
        "dispatcher.set_state",
        lambda state, group, address: set_state(dispatcher, state, group, address),
        "a|t|i|d 1 sip:HOST:PORT|all: use a proxy; leave it alone until probes succeed (i), for good (d)",
    )
    table.add(
        "dispatcher.reload",
        lambda: reload(dispatcher, reread),
        "read the proxies from the configuration file again; calls go on",
    )


def describe(dispatcher: Dispatcher) -> Json:
    """Return every proxy with its state."""
    targets = [_describe(destination, dispatcher) for destination in dispatcher.destinations.values()]
    return {"NRSETS": 1, "RECORDS": [{"SET": {"ID": SET, "TARGETS": targets}}]}


def _describe(destination: Destination, dispatcher: Dispatcher) -> Json:
    is_probed = dispatcher.probe_interval and destination.state is not State.DISABLED
    return {
        "DEST": {
            "URI": _uri(destination),
            "FLAGS": destination.state.value + ("P" if is_probed else "X"),
            "PRIORITY": 0,
            "ATTRS": {"WEIGHT": destination.proxy.weight},
        }
    }


def set_state(dispatcher: Dispatcher, state: Json, group: Json, address: Json) -> Json:
    """Change the state of one proxy, or of all."""
    letters = str(state)
    if letters[:1] not in STATES or letters[1:].lower() not in ("", "p", "x"):
        raise CommandError(400, f"{letters!r} is no state; allowed are a, t, i, d")
    if str(group) != str(SET):
        raise CommandError(404, f"no set {group}; there is only {SET}")
    meant = [each for each in dispatcher.destinations.values() if str(address) in ("all", _uri(each))]
    if not meant:
        known = ", ".join(map(_uri, dispatcher.destinations.values()))
        raise CommandError(404, f"no proxy {address}; there are {known}")
    for destination in meant:
        dispatcher.set_state(destination, STATES[letters[0]])
    return "ok"


def reload(dispatcher: Dispatcher, reread: Callable[[], Sequence[Proxy]]) -> Json:
    """Take the set that the file names now; one that is wrong changes nothing."""
    try:
        dispatcher.replace(reread())
    except ConfigError as error:
        raise CommandError(500, str(error)) from error
    return "ok"


def _uri(destination: Destination) -> str:
    return f"sip:{format_address(destination.proxy.socket)}"
