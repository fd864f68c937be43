"""ssh's way into the lab's network: open a connection there and hand its socket to ssh, then be gone.

`ssh -o ProxyUseFdpass=yes -o ProxyCommand='python3 …/lab/connect.py %h %p'`: our standard output is a socket
over which ssh expects the connected one (see ssh_config(5)).
"""

import socket
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from lab import network  # noqa: E402  # ssh runs this file in whatever directory its caller happens to be

#: Seconds: the lab's network has no loss, a node that does not answer at once is not up.
TIMEOUT = 3.0


def main() -> int:
    """Connect to the host and port given as arguments."""
    host, port = sys.argv[1], int(sys.argv[2])
    try:
        with network.inside():
            connection = socket.create_connection((host, port), TIMEOUT)
    except OSError as problem:
        print(f"{host} port {port}: {problem}", file=sys.stderr)
        return 1
    connection.setblocking(True)
    with socket.socket(fileno=sys.stdout.fileno()) as ssh:
        socket.send_fds(ssh, [b"\0"], [connection.fileno()])
    return 0


if __name__ == "__main__":
    sys.exit(main())
