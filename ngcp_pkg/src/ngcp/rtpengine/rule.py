"""`ngcp-rtpengine-rule`: the firewall's rule that shows packets to the kernel module, kept where it must be.

The module is a target of iptables, which nftables takes in the tables `ip filter` and `ip6 filter` only:

    chain INPUT { type filter hook input priority filter; meta l4proto udp counter jump rtpengine }
    chain rtpengine { xt target "RTPENGINE" }

`nft` shows such a target, but can neither read nor write it, so that the rule is made here. Whatever else
is in these tables stays as it is.
"""

import argparse
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ngcp.net import nfnetlink
from ngcp.net.nfnetlink import Message, attribute, attributes, fields, nested, number, text, word
from ngcp.service.config import ConfigError

from .config import load

#: NFPROTO_IPV4, NFPROTO_IPV6, by the names of nftables.
FAMILIES: Final = {"ip": 2, "ip6": 10}
TABLE: Final = "filter"
BASE_CHAIN: Final = "INPUT"
CHAIN: Final = "rtpengine"
TARGET: Final = "RTPENGINE"

_NEW_TABLE, _NEW_CHAIN, _GET_CHAIN, _NEW_RULE, _GET_RULE, _DELETE_RULE, _DELETE_CHAIN = 0, 3, 4, 6, 7, 8, 5
_LOCAL_IN: Final = 1
_JUMP: Final = -3
_REGISTER_1: Final = 1
_META_L4PROTO: Final = 16


def is_installed(family: int, table_id: int) -> bool:
    """Whether packets of a family are shown to the module's table of this number."""
    rules = list(_rules(family))
    shown = any(chain == CHAIN and _target(rule) == table_id for chain, rule, _ in rules)
    return shown and any(chain == BASE_CHAIN and _jumps(rule) for chain, rule, _ in rules)


def install(family: int, table_id: int) -> None:
    """Make the rule, first of its chain, unless it is there, or raise `OSError`."""
    if not is_installed(family, table_id):
        nfnetlink.transact(list(_installation(family, table_id)))


def remove(family: int) -> None:
    """Remove the rule, if it is there, and its chain."""
    jumps = [handle for chain, rule, handle in _rules(family) if chain == BASE_CHAIN and _jumps(rule)]
    messages = [Message(_DELETE_RULE, family, _in_chain(BASE_CHAIN) + attribute(3, one)) for one in jumps]
    if CHAIN in _chains(family):
        messages.append(Message(_DELETE_RULE, family, _in_chain(CHAIN)))
        messages.append(Message(_DELETE_CHAIN, family, text(1, TABLE) + text(3, CHAIN)))
    if messages:
        nfnetlink.transact(messages)


def _installation(family: int, table_id: int) -> Iterator[Message]:
    chains = _chains(family)
    yield Message(_NEW_TABLE, family, text(1, TABLE), nfnetlink.CREATE)
    if BASE_CHAIN not in chains:
        hook = nested(4, number(1, _LOCAL_IN), number(2, 0))
        body = text(1, TABLE) + text(3, BASE_CHAIN) + hook + text(7, "filter")
        yield Message(_NEW_CHAIN, family, body, nfnetlink.CREATE)
    if CHAIN in chains:
        yield Message(_DELETE_RULE, family, _in_chain(CHAIN))
    else:
        yield Message(_NEW_CHAIN, family, text(1, TABLE) + text(3, CHAIN), nfnetlink.CREATE)
    target = _expression("target", text(1, TARGET), number(2, 0), attribute(3, struct.pack("=I", table_id)))
    yield Message(_NEW_RULE, family, _in_chain(CHAIN) + nested(4, target), nfnetlink.CREATE)
    if not any(chain == BASE_CHAIN and _jumps(rule) for chain, rule, _ in _rules(family)):
        yield Message(_NEW_RULE, family, _in_chain(BASE_CHAIN) + nested(4, *_udp_jumps()), nfnetlink.CREATE)


def _udp_jumps() -> Iterator[bytes]:
    yield _expression("meta", number(2, _META_L4PROTO), number(1, _REGISTER_1))
    yield _expression("cmp", number(1, _REGISTER_1), number(2, 0), nested(3, attribute(1, b"\x11")))
    yield _expression("counter")
    verdict = nested(2, nested(2, number(1, _JUMP), text(2, CHAIN)))
    yield _expression("immediate", number(1, 0), verdict)


def _in_chain(chain: str) -> bytes:
    return text(1, TABLE) + text(2, chain)


def _expression(name: str, *data: bytes) -> bytes:
    return nested(1, text(1, name), nested(2, *data))


def _chains(family: int) -> set[str]:
    found = (fields(one) for one in nfnetlink.listing(Message(_GET_CHAIN, family, b"")))
    return {word(chain.get(3)) for chain in found if word(chain.get(1)) == TABLE}


def _rules(family: int) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield chain, expressions and handle of each rule of the table."""
    for one in nfnetlink.listing(Message(_GET_RULE, family, b"")):
        rule = fields(one)
        if word(rule.get(1)) == TABLE:
            yield word(rule.get(2)), rule.get(4, b""), rule.get(3, b"")


def _expressions(rule: bytes) -> Iterator[tuple[str, bytes]]:
    for _, element in attributes(rule):
        expression = fields(element)
        yield word(expression.get(1)), expression.get(2, b"")


def _target(rule: bytes) -> int | None:
    """Return the number of the module's table that a rule shows packets to."""
    for name, data in _expressions(rule):
        target = fields(data)
        if name == "target" and word(target.get(1)) == TARGET and len(target.get(3, b"")) >= 4:
            return int(struct.unpack_from("=I", target[3])[0])
    return None


def _jumps(rule: bytes) -> bool:
    """Whether a rule leads to our chain."""
    for name, data in _expressions(rule):
        if name == "immediate":
            verdict = fields(fields(fields(data).get(2, b"")).get(2, b""))
            if word(verdict.get(2)) == CHAIN:
                return True
    return False


def main() -> int:
    """Install, remove or show the rule of both families."""
    parser = argparse.ArgumentParser("ngcp-rtpengine-rule", description=__doc__.split("\n", 1)[0])
    parser.add_argument("action", choices=("install", "remove", "status"))
    parser.add_argument("--config", type=Path, default=Path("/etc/default/ngcp-rtpengine-daemon"))
    arguments = parser.parse_args()
    try:
        return _act(arguments.action, load(arguments.config).table)
    except (ConfigError, OSError) as problem:
        print(f"ngcp-rtpengine-rule: {problem}", file=sys.stderr)
        return 1


def _act(action: str, table_id: int) -> int:
    status = 0
    for name, family in FAMILIES.items():
        if action == "install":
            install(family, table_id)
        elif action == "remove":
            remove(family)
        else:
            there = is_installed(family, table_id)
            print(f"{name} {TABLE}: {'packets are shown to table ' + str(table_id) if there else 'no rule'}")
            status |= not there
    return status


if __name__ == "__main__":
    sys.exit(main())
