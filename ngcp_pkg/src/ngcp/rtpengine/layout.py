"""The binary interface of the kernel module xt_RTPENGINE (version 12.5): messages to it, counters from it.

The structures are those of its `xt_RTPENGINE.h` and `common_stats.h`, in the layout of C on the machine that
runs us; the build of the package compares them with the headers of the module's own package.
"""

import ctypes
import socket
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar, Final, TypeAlias

from .flows import Address

_Fields: TypeAlias = Sequence[tuple[str, Any] | tuple[str, Any, int]]

#: What one target can hold (RTPE_NUM_SSRC_TRACKING, RTPE_NUM_PAYLOAD_TYPES).
SSRCS: Final = 4
_PAYLOAD_TYPES: Final = 32


class Command(IntEnum):
    """What a message asks for (enum rtpengine_command), as far as we do."""

    INIT = 1
    ADD_TARGET = 2
    ADD_DESTINATION = 3
    DEL_TARGET = 9


class Mismatch(IntEnum):
    """What happens to a packet from another source than expected (enum rtpengine_src_mismatch)."""

    IGNORE = 0
    DROP = 1
    PROPAGATE = 2


class Cipher(IntEnum):
    """How payloads are encrypted (enum rtpengine_cipher)."""

    NULL = 1
    AES_CM_128 = 2
    AES_CM_192 = 4
    AES_CM_256 = 5
    AEAD_AES_GCM_128 = 6
    AEAD_AES_GCM_256 = 7


class Hmac(IntEnum):
    """How packets are authenticated (enum rtpengine_hmac)."""

    NULL = 1
    SHA1 = 2


class KernelAddress(ctypes.Structure):
    """A UDP address (struct re_address): the host's bytes in network order, the port in the machine's."""

    _fields_: ClassVar[_Fields] = (
        ("family", ctypes.c_int),
        ("u", ctypes.c_uint8 * 16),
        ("port", ctypes.c_uint16),
    )

    @classmethod
    def of(cls, address: Address) -> "KernelAddress":
        """Translate a literal address."""
        host, port = address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return cls(family, tuple(socket.inet_pton(family, host)), port)


class Srtp(ctypes.Structure):
    """What SRTP needs (struct rtpengine_srtp). Plain RTP is `NULL` twice: zero would be refused."""

    _fields_: ClassVar[_Fields] = (
        ("cipher", ctypes.c_uint),
        ("hmac", ctypes.c_uint),
        ("master_key", ctypes.c_uint8 * 32),
        ("master_key_len", ctypes.c_uint),
        ("master_salt", ctypes.c_uint8 * 14),
        ("master_salt_len", ctypes.c_uint),
        ("session_key_len", ctypes.c_uint),
        ("session_salt_len", ctypes.c_uint),
        ("mki", ctypes.c_uint8 * 256),
        ("rtp_auth_tag_len", ctypes.c_uint),
        ("rtcp_auth_tag_len", ctypes.c_uint),
        ("mki_len", ctypes.c_uint),
    )


class Target(ctypes.Structure):
    """What happens to packets that arrive at `local` (struct rtpengine_target_info)."""

    _fields_: ClassVar[_Fields] = (
        ("local", KernelAddress),
        ("expected_src", KernelAddress),
        ("src_mismatch", ctypes.c_uint),
        ("num_destinations", ctypes.c_uint),
        ("num_rtcp_destinations", ctypes.c_uint),
        ("intercept_stream_idx", ctypes.c_uint),
        ("decrypt", Srtp),
        ("ssrc", ctypes.c_uint32 * SSRCS),
        ("ssrc_stats", ctypes.c_void_p * SSRCS),
        ("pt_stats", ctypes.c_void_p * _PAYLOAD_TYPES),
        ("num_payload_types", ctypes.c_uint),
        ("iface_stats", ctypes.c_void_p),
        ("stats", ctypes.c_void_p),
        ("rtcp_mux", ctypes.c_uint, 1),
        ("dtls", ctypes.c_uint, 1),
        ("stun", ctypes.c_uint, 1),
        ("rtp", ctypes.c_uint, 1),
        ("ssrc_req", ctypes.c_uint, 1),
        ("rtp_only", ctypes.c_uint, 1),
        ("track_ssrc", ctypes.c_uint, 1),
        ("rtcp", ctypes.c_uint, 1),
        ("rtcp_fw", ctypes.c_uint, 1),
        ("rtcp_fb_fw", ctypes.c_uint, 1),
        ("do_intercept", ctypes.c_uint, 1),
        ("pt_filter", ctypes.c_uint, 1),
        ("non_forwarding", ctypes.c_uint, 1),
        ("blackhole", ctypes.c_uint, 1),
        ("rtp_stats", ctypes.c_uint, 1),
    )


class PayloadTypeOutput(ctypes.Structure):
    """How payloads are overwritten (struct rtpengine_pt_output)."""

    _fields_: ClassVar[_Fields] = (
        ("min_payload_len", ctypes.c_uint),
        ("replace_pattern", ctypes.c_uint8 * 16),
        ("replace_pattern_len", ctypes.c_uint8),
    )


class Output(ctypes.Structure):
    """One way out of a target (struct rtpengine_output_info).

    C puts the single bit `ssrc_subst` into the byte after `tos`; ctypes would not, so it is a byte here.
    """

    _fields_: ClassVar[_Fields] = (
        ("src_addr", KernelAddress),
        ("dst_addr", KernelAddress),
        ("encrypt", Srtp),
        ("ssrc_out", ctypes.c_uint32 * SSRCS),
        ("seq_offset", ctypes.c_uint32 * SSRCS),
        ("pt_output", PayloadTypeOutput * _PAYLOAD_TYPES),
        ("iface_stats", ctypes.c_void_p),
        ("stats", ctypes.c_void_p),
        ("ssrc_stats", ctypes.c_void_p * SSRCS),
        ("tos", ctypes.c_uint8),
        ("ssrc_subst", ctypes.c_uint8),
    )


class Destination(ctypes.Structure):
    """The `num`th way out of the target at `local` (struct rtpengine_destination_info)."""

    _fields_: ClassVar[_Fields] = (("local", KernelAddress), ("num", ctypes.c_uint), ("output", Output))


class Init(ctypes.Structure):
    """Whether both sides mean the same (struct rtpengine_init_info)."""

    _fields_: ClassVar[_Fields] = (
        ("last_cmd", ctypes.c_int),
        ("msg_size", ctypes.c_size_t * 16),
        ("rtpe_stats", ctypes.c_void_p),
    )


class InitMessage(ctypes.Structure):
    """The first message to a table (struct rtpengine_command_init)."""

    _fields_: ClassVar[_Fields] = (("cmd", ctypes.c_uint), ("init", Init))


class TargetMessage(ctypes.Structure):
    """A new target (struct rtpengine_command_add_target)."""

    _fields_: ClassVar[_Fields] = (("cmd", ctypes.c_uint), ("target", Target))


class DestinationMessage(ctypes.Structure):
    """One more of its ways out (struct rtpengine_command_destination)."""

    _fields_: ClassVar[_Fields] = (("cmd", ctypes.c_uint), ("destination", Destination))


class RemovalMessage(ctypes.Structure):
    """The end of a target (struct rtpengine_command_del_target)."""

    _fields_: ClassVar[_Fields] = (("cmd", ctypes.c_uint), ("local", KernelAddress))


class StreamStats(ctypes.Structure):
    """What has passed (struct stream_stats); `last_packet` is in whole seconds of the Unix epoch."""

    _fields_: ClassVar[_Fields] = (
        ("packets", ctypes.c_int64),
        ("bytes", ctypes.c_int64),
        ("errors", ctypes.c_int64),
        ("last_packet", ctypes.c_int64),
        ("tos", ctypes.c_int),
    )


class SsrcStats(ctypes.Structure):
    """What has passed of one source (struct ssrc_stats); `ext_seq` is also SRTP's packet index (§3.3.1)."""

    _fields_: ClassVar[_Fields] = (
        ("packets", ctypes.c_int64),
        ("bytes", ctypes.c_int64),
        ("timestamp", ctypes.c_uint32),
        ("ext_seq", ctypes.c_uint32),
        ("rtcp_seq", ctypes.c_uint32),
        ("lost_bits", ctypes.c_uint32),
        ("total_lost", ctypes.c_int),
        ("transit", ctypes.c_int),
        ("jitter", ctypes.c_int),
        ("last_packet", ctypes.c_int64),
        ("last_pt", ctypes.c_int),
    )


class Traffic(ctypes.Structure):
    """One direction of an interface (struct interface_counter_stats_dir)."""

    _fields_: ClassVar[_Fields] = (
        ("packets", ctypes.c_int64),
        ("bytes", ctypes.c_int64),
        ("errors", ctypes.c_int64),
    )


class InterfaceStats(ctypes.Structure):
    """What has passed an interface (struct interface_stats_block)."""

    _fields_: ClassVar[_Fields] = (
        ("in_", Traffic),
        ("out", Traffic),
        ("s", ctypes.c_int64 * 2),
        ("sampled", ctypes.c_int64 * 18),
    )


class TableStats(ctypes.Structure):
    """What a whole table has done (struct global_stats_counter)."""

    _fields_: ClassVar[_Fields] = (
        ("packets_kernel", ctypes.c_int64),
        ("bytes_kernel", ctypes.c_int64),
        ("errors_kernel", ctypes.c_int64),
        ("packets_lost", ctypes.c_int64),
    )


#: By number of command, also those that we never send: the module refuses whoever knows other sizes.
MESSAGE_SIZES: Final = (0, 152, 752, 1288, 264, 8, 272, 12, 12, 28, 12, 8, 32, 456, 8, 8)


def init_message(stats: int) -> InitMessage:
    """Begin with a table whose `TableStats` are at the address `stats`."""
    sizes = (ctypes.c_size_t * len(MESSAGE_SIZES))(*MESSAGE_SIZES)
    return InitMessage(Command.INIT, Init(len(MESSAGE_SIZES), sizes, stats))
