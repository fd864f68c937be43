"""What a node's media relay does: ng's commands, given on the node itself."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lab import ssh
from lab.errors import LabError
from lab.machines import Machine

#: The control port listens inside the node only, so commands are given there, with the node's own codec.
ASK: Final = """\
import json, socket, sys
from ngcp.ng.commands import Message
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    client.connect(("127.0.0.1", 12222))
    for number, fields in enumerate(json.loads(COMMANDS)):
        client.send(bytes(Message(f"lab{number}", fields)))
        print(json.dumps(Message.parse(client.recv(65535)).fields))
"""
SDP: Final = """\
v=0
o=- 1 1 IN {family} {host}
s=-
c=IN {family} {host}
t=0 0
m=audio {port} {protocol} 8
"""
_PLACE: Final = re.compile(r"^c=IN IP[46] (\S+).*^m=audio (\d+) ", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Totals:
    """RTP of a whole call, both directions together."""

    packets: int
    errors: int


@dataclass(frozen=True, slots=True)
class Side:
    """One participant of a call that only the media relay knows."""

    address: str
    port: int
    protocol: str = "RTP/AVP"
    attributes: Sequence[str] = ()
    """Further lines of its session description."""

    @property
    def sdp(self) -> str:
        """What it says of itself."""
        family = "IP6" if ":" in self.address else "IP4"
        body = SDP.format(family=family, host=self.address, port=self.port, protocol=self.protocol)
        return "".join(f"{line}\r\n" for line in (*body.splitlines(), *self.attributes))


@dataclass(frozen=True, slots=True)
class Connection:
    """What the relay wrote for the two participants of a call."""

    call_id: str
    offer: str
    answer: str

    @property
    def to_caller(self) -> tuple[str, int]:
        """Where the callee sends."""
        return _place(self.offer)

    @property
    def to_callee(self) -> tuple[str, int]:
        """Where the caller sends."""
        return _place(self.answer)


def ask(machine: Machine, *commands: Mapping[str, object]) -> list[dict[str, Any]]:
    """Give commands, one after the other, and return the answers, which have to be good ones."""
    script = ASK.replace("COMMANDS", repr(json.dumps(commands)))
    answers = [json.loads(line) for line in ssh.output(machine, "python3 -", stdin=script).splitlines()]
    for command, answer in zip(commands, answers, strict=True):
        if answer.get("result") != "ok":
            raise LabError(f"the media relay will not {command}: {answer}")
    return answers


def query(machine: Machine, call_id: str) -> Totals:
    """Ask how many packets of a call were relayed."""
    (answer,) = ask(machine, {"command": "query", "call-id": call_id})
    totals = answer["totals"]["RTP"]
    return Totals(int(totals["packets"]), int(totals["errors"]))


def connect(machine: Machine, caller: Side, callee: Side, **flags: Mapping[str, object]) -> Connection:
    """Set up a call between two; `flags` has more fields for the commands `offer` and `answer`."""
    call_id = f"lab-{caller.address}-{caller.port}-{callee.port}"
    common = {"call-id": call_id, "from-tag": "caller", "replace": ["origin"]}
    offer, answer = ask(
        machine,
        common | {"command": "offer", "sdp": caller.sdp} | dict(flags.get("offer", {})),
        common | {"command": "answer", "to-tag": "callee", "sdp": callee.sdp} | dict(flags.get("answer", {})),
    )
    return Connection(call_id, offer["sdp"], answer["sdp"])


def disconnect(machine: Machine, connection: Connection) -> None:
    """End a call."""
    ask(machine, {"command": "delete", "call-id": connection.call_id, "from-tag": "caller"})


def _place(body: str) -> tuple[str, int]:
    found = _PLACE.search(body)
    if found is None:
        raise LabError(f"no audio in what the media relay wrote: {body}")
    return found[1], int(found[2])
