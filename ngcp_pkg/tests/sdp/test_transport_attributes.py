"""Certificates and candidates in session descriptions (RFC 8122, RFC 8839)."""

import ipaddress

import pytest
from aioice.candidate import Candidate as TheirCandidate
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sdp import SdpError
from ngcp.sdp.candidate import Candidate
from ngcp.sdp.fingerprint import HASHES, Fingerprint

DIGEST = "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"


def test_the_fingerprint_of_rfc_8122() -> None:
    read = Fingerprint.parse(f"SHA-1 {DIGEST.lower()}")

    assert read == Fingerprint("sha-1", bytes.fromhex(DIGEST.replace(":", "")))
    assert str(read) == f"sha-1 {DIGEST}"


@pytest.mark.parametrize(
    "value",
    ["", "sha-1", f"sha-256 {DIGEST}", f"md5 {DIGEST}", f"sha-1 {DIGEST}:", "sha-1 4A:A", "sha-1 zz:zz"],
)
def test_broken_fingerprints_are_refused(value: str) -> None:
    with pytest.raises(SdpError):
        Fingerprint.parse(value)


@given(st.sampled_from(sorted(HASHES)), st.binary(min_size=64, max_size=64))
def test_fingerprints_written_are_read(function: str, digest: bytes) -> None:
    fingerprint = Fingerprint(function, digest[: HASHES[function]])

    assert Fingerprint.parse(str(fingerprint)) == fingerprint


@pytest.mark.parametrize(
    "value",
    [
        "361153191 1 udp 2122260223 192.168.178.20 54824 typ host generation 0 network-id 1",
        "842163049 1 udp 1686052607 198.51.100.33 54824 typ srflx raddr 192.168.178.20 rport 54824",
        "1527070295 1 tcp 1518280447 192.168.178.20 9 typ host tcptype active generation 0",
        "1 2 UDP 1 2001:db8::1 4000 typ relay",
        "1 1 UDP 2130706431 5f2b.local 9 typ host",
    ],
)
def test_candidates_of_browsers_come_out_as_they_came(value: str) -> None:
    assert str(Candidate.parse(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1 1 UDP 1 h 1",
        "1 1 UDP 1 h 65536 typ host",
        "1 1 UDP 4294967296 h 1 typ host",
        "1 x UDP 1 h 1 typ host",
    ],
)
def test_broken_candidates_are_refused(value: str) -> None:
    with pytest.raises(SdpError):
        Candidate.parse(value)


@given(st.integers(1, 2), st.ip_addresses(), st.integers(1, 65_535), st.sampled_from(["host", "relay"]))
def test_another_implementation_reads_ours(
    component: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, kind: str
) -> None:
    read = TheirCandidate.from_sdp(str(Candidate.of(component, str(address), port, kind)))

    assert (read.component, read.host, read.port, read.type) == (component, str(address), port, kind)
    assert read.priority < 1 << 31
