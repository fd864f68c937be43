"""What a node's media relay says of a call: ng's `query`, asked on the node itself."""

import json
from dataclasses import dataclass
from typing import Final

from lab import ssh
from lab.errors import LabError
from lab.machines import Machine

#: The control port listens inside the node only, so the question is asked there, with the node's own codec.
QUERY: Final = """\
import json, socket
from ngcp.ng.commands import Message
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    client.connect(("127.0.0.1", 12222))
    client.send(bytes(Message("lab", {"command": "query", "call-id": CALL_ID})))
    print(json.dumps(Message.parse(client.recv(65535)).fields))
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """RTP of a whole call, both directions together."""

    packets: int
    errors: int


def query(machine: Machine, call_id: str) -> Totals:
    """Ask how many packets of a call were relayed."""
    answer = json.loads(ssh.output(machine, "python3 -", stdin=QUERY.replace("CALL_ID", repr(call_id))))
    if answer.get("result") != "ok":
        raise LabError(f"the media relay knows nothing of call {call_id}: {answer}")
    totals = answer["totals"]["RTP"]
    return Totals(int(totals["packets"]), int(totals["errors"]))
