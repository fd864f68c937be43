"""What the proxy's configuration refuses."""

from pathlib import Path

import pytest

from ngcp.proxy.config import load
from ngcp.service.config import ConfigError

NEEDED = """
listen: {address: 127.0.0.1, port: 5062}
xmlrpc: {address: 127.0.0.1, port: 8000}
load_balancer: {address: 127.0.0.1, port: 5060}
media_relay: {address: 127.0.0.1, port: 12222}
database: {socket: /run/mysqld/mysqld.sock}
"""


@pytest.mark.parametrize("value", ["[]", "[SHA-1]", "[MD5, sha-256]"])
def test_digest_algorithm_that_is_unknown(tmp_path: Path, value: str) -> None:
    path = tmp_path / "proxy.yml"
    path.write_text(f"{NEEDED}digest_algorithms: {value}\n")
    with pytest.raises(ConfigError, match="digest_algorithms is one or more of SHA-256, MD5, not"):
        load(path)
