"""Our structures beside what a C compiler makes of the module's headers: `layout.c` printed `layout.txt`."""

import ctypes
import socket
from pathlib import Path
from typing import Final

import pytest

from ngcp.rtpengine import layout

PRINTED: Final = [line.split() for line in (Path(__file__).parent / "layout.txt").read_text().splitlines()]
OURS: Final[dict[str, type[ctypes.Structure]]] = {
    "re_address": layout.KernelAddress,
    "rtpengine_srtp": layout.Srtp,
    "rtpengine_target_info": layout.Target,
    "rtpengine_pt_output": layout.PayloadTypeOutput,
    "rtpengine_output_info": layout.Output,
    "rtpengine_destination_info": layout.Destination,
    "rtpengine_init_info": layout.Init,
    "rtpengine_command_init": layout.InitMessage,
    "rtpengine_command_add_target": layout.TargetMessage,
    "rtpengine_command_destination": layout.DestinationMessage,
    "rtpengine_command_del_target": layout.RemovalMessage,
    "stream_stats": layout.StreamStats,
    "ssrc_stats": layout.SsrcStats,
    "interface_counter_stats_dir": layout.Traffic,
    "interface_stats_block": layout.InterfaceStats,
    "global_stats_counter": layout.TableStats,
}
#: Where a name of C is a word of Python.
RENAMED: Final = {"in": "in_"}


def place(structure: str, name: str) -> list[str]:
    """Return offset and size of a field."""
    field = getattr(OURS[structure], RENAMED.get(name, name))
    return [str(field.offset), str(field.size)]


def lines(length: int) -> list[list[str]]:
    return [words for words in PRINTED if words[0] in OURS and len(words) == length]


def test_sizes() -> None:
    printed = {name: int(size) for name, _, size in lines(3)}

    assert {name: ctypes.sizeof(structure) for name, structure in OURS.items()} == printed


def test_fields() -> None:
    """An equal size proves nothing: a field may lie elsewhere within it."""
    fields = [words for words in lines(4) if words[2] != "mask"]

    assert len(fields) > 60
    assert [[name, one, *place(name, one)] for name, one, _, _ in fields] == fields


@pytest.mark.parametrize("printed", lines(5), ids=lambda words: words[1])
def test_bits(printed: list[str]) -> None:
    name, one, offset, _, mask = printed
    value = OURS[name]()

    setattr(value, one, 1)

    assert {index: byte for index, byte in enumerate(bytes(value)) if byte} == {int(offset): int(mask)}


def test_every_field_is_compared() -> None:
    compared = {(words[0], RENAMED.get(words[1], words[1])) for words in PRINTED}

    for name, structure in OURS.items():
        assert {one[0] for one in structure._fields_} <= {one for where, one in compared if where == name}


def test_sizes_of_messages() -> None:
    printed = {int(number): int(size) for kind, number, size in lines_of_messages()}

    assert dict(enumerate(layout.MESSAGE_SIZES)) == {0: 0} | printed


def lines_of_messages() -> list[list[str]]:
    return [words for words in PRINTED if words[0] == "message"]


def test_first_message() -> None:
    message = layout.init_message(0x1000)

    assert message.cmd == layout.Command.INIT
    assert message.init.last_cmd == len(layout.MESSAGE_SIZES)
    assert tuple(message.init.msg_size) == layout.MESSAGE_SIZES
    assert message.init.rtpe_stats == 0x1000


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("192.0.2.1", socket.AF_INET, "c0000201" + 12 * "00"),
        ("2001:db8::1", socket.AF_INET6, "20010db8000000000000000000000001"),
    ],
)
def test_addresses(host: str, family: int, address: str) -> None:
    ours = layout.KernelAddress.of((host, 30000))

    assert (ours.family, bytes(ours.u).hex(), ours.port) == (family, address, 30000)
