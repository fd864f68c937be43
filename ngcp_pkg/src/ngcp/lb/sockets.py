"""Our public sockets, under the names that Path, Record-Route and masked Contacts give them.

What leaves for a phone leaves by the socket that the phone came to: it is named where the way back is
written, and found by that name. Everything else leaves by the first socket of its transport and family.
"""

from collections.abc import Iterable

from ngcp.sip.transport.flow import Address, Flow, format_address

#: Transport and address.
Socket = tuple[str, Address]


class Sockets:
    """The public side, as look-ups."""

    def __init__(self, sockets: Iterable[Socket]) -> None:
        """Of one transport and address family, the first socket is the usual one."""
        self._usual: dict[tuple[str, bool], Socket] = {}
        self._by_name: dict[str, Socket] = {}
        self._names: dict[Socket, str] = {}
        for socket in sockets:
            transport, address = socket
            self._usual.setdefault((transport, ":" in address[0]), socket)
            self._names[socket] = f"{transport}:{format_address(address)}"
            self._by_name[self._names[socket]] = socket
        self._labels = {socket: self._label(socket) for socket in self._names}
        self._contacts = {socket: self._contact(socket) for socket in self._names}
        self.addresses = frozenset(address for _, address in self._names)
        """All of them, whatever the transport."""

    def name(self, flow: Flow) -> str:
        """Write the socket of a flow as the platform does: `udp:192.0.2.1:5060`."""
        return self._names[flow[:2]]

    def label(self, flow: Flow) -> str:
        """Name the socket of a flow as briefly as it can be: the usual one by its transport."""
        return self._labels[flow[:2]]

    def contact(self, flow: Flow) -> str:
        """Return host and port to write in a Contact: UDP, so that nobody has to name a transport."""
        return self._contacts[flow[:2]]

    def flow(self, name: str, remote: Address) -> Flow | None:
        """Return the flow to `remote` from the socket of this name, label or transport, if there is one."""
        socket = self._usual.get((name, ":" in remote[0])) or self._by_name.get(name)
        return None if socket is None else Flow(*socket, remote)

    def _label(self, socket: Socket) -> str:
        transport, (host, _) = socket
        return transport if self._usual[transport, ":" in host] == socket else self._names[socket]

    def _contact(self, socket: Socket) -> str:
        transport, address = socket
        usual = socket if transport == "udp" else self._usual.get(("udp", ":" in address[0]), socket)
        return format_address(usual[1])
