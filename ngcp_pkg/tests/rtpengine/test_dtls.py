"""DTLS handshakes that agree on SRTP keys, among ourselves and with OpenSSL's own client."""

import datetime
import random
import re
import select
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ngcp.rtp.srtp import SrtpReceiver, SrtpSender
from ngcp.rtp.suites import SUITES, Keys
from ngcp.rtpengine.dtls import MTU, Handshake, Identity
from ngcp.sdp.fingerprint import HASHES, Fingerprint
from rtpengine.harness import RTP

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
OURS, THEIRS = Identity(NOW), Identity(NOW)

CURVE = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")

Filter = Callable[[bytes], list[bytes]]


def as_it_is(packet: bytes) -> list[bytes]:
    return [packet]


def both() -> tuple[Handshake, Handshake]:
    return (
        Handshake(OURS, THEIRS.fingerprint("sha-512"), is_client=True),
        Handshake(THEIRS, OURS.fingerprint(), is_client=False),
    )


def exchange(client: Handshake, server: Handshake, packets: list[bytes], lose: Filter = as_it_is) -> None:
    """Carry `packets` of the client and all that follows, as the wire `lose` lets through."""
    sides = [server, client]
    while packets:
        arrived = [copy for packet in packets for copy in lose(packet)]
        packets = [answer for packet in arrived for answer in sides[0].receive(packet)]
        sides.reverse()


def test_both_agree_on_keys_and_know_each_other() -> None:
    client, server = both()
    exchange(client, server, client.start())

    assert client.keys is not None
    assert server.keys is not None
    assert client.keys == server.keys[::-1]
    assert client.keys[0].suite == "AEAD_AES_256_GCM"
    assert client.keys[0] != client.keys[1]
    assert SrtpReceiver(server.keys[0]).unprotect(SrtpSender(client.keys[1]).protect(RTP)) == RTP


@pytest.mark.parametrize("function", HASHES)
def test_somebody_else_is_refused(function: str) -> None:
    for expected, agree in ((OURS, True), (THEIRS, False)):
        client = Handshake(OURS, THEIRS.fingerprint(function), is_client=True)
        server = Handshake(THEIRS, expected.fingerprint(function), is_client=False)
        exchange(client, server, client.start())
        assert (server.keys is not None) == agree
        assert (server.problem == "certificate is not the announced one") != agree


def test_datagrams_fit_the_path_and_doubled_ones_do_no_harm() -> None:
    client, server = both()
    seen: list[int] = []

    def double(packet: bytes) -> list[bytes]:
        seen.append(len(packet))
        return [packet, packet] if len(seen) < 50 else []

    exchange(client, server, client.start(), double)

    assert client.keys is not None
    assert server.keys is not None
    assert max(seen) <= MTU


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_flight_is_sent_again(lost: int) -> None:
    """RFC 9147 §5.8; the time is OpenSSL's own, so that this one test really waits."""
    client, server = both()
    flights = iter(range(100))

    def lose(packet: bytes) -> list[bytes]:
        return [] if next(flights) == lost else [packet]

    exchange(client, server, client.start(), lose)
    deadline = time.monotonic() + 10
    while client.keys is None or server.keys is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        exchange(client, server, client.handle_timer(), lose)
        exchange(server, client, server.handle_timer(), lose)
    assert client.keys == server.keys[::-1]


def test_noise_neither_hurts_nor_stops_a_handshake() -> None:
    luck = random.Random(6347)

    def disturb(packet: bytes) -> list[bytes]:
        broken = bytearray(packet)
        broken[luck.randrange(13, len(broken))] ^= 1 << luck.randrange(8)
        return [luck.randbytes(luck.randrange(1, 200)), b"\x16\xfe\xfd" + luck.randbytes(40), packet]

    for _ in range(20):
        client, server = both()
        exchange(client, server, client.start(), disturb)
        assert client.keys is not None
        assert server.keys is not None


def test_a_peer_without_srtp_is_refused(tmp_path: Path) -> None:
    output, handshake = openssl_client(tmp_path)

    assert handshake.keys is None
    assert handshake.problem == "no common SRTP profile"
    assert "SRTP Extension negotiated" not in output


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ("SRTP_AES128_CM_SHA1_80", "AES_CM_128_HMAC_SHA1_80"),
        ("SRTP_AES128_CM_SHA1_32", "AES_CM_128_HMAC_SHA1_32"),
        ("SRTP_AEAD_AES_128_GCM", "AEAD_AES_128_GCM"),
        ("SRTP_AEAD_AES_256_GCM", "AEAD_AES_256_GCM"),
    ],
)
def test_the_client_of_openssl_gets_the_same_keys(tmp_path: Path, profile: str, name: str) -> None:
    """RFC 5764 §4.2, cut by hand out of what the other program shows."""
    suite = SUITES[name]
    length = str(2 * suite.master_length)
    more = ["-use_srtp", profile, "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", length]
    output, handshake = openssl_client(tmp_path, *more)

    found = re.search(r"Keying material: ([0-9A-F]+)", output)
    assert found, output
    material = bytes.fromhex(found[1])
    key, salt = suite.key_length, suite.salt_length
    client = material[:key] + material[2 * key : 2 * key + salt]
    server = material[key : 2 * key] + material[2 * key + salt :]
    assert handshake.keys == (Keys(name, client), Keys(name, server))


def openssl_client(directory: Path, *more: str) -> tuple[str, Handshake]:
    """Let `openssl s_client` shake hands with us; return what it says, and our side."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    make: list[str | Path] = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=peer",
        "-days",
        "2",
    ]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    theirs = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256())
    handshake = Handshake(OURS, Fingerprint("sha-256", theirs), is_client=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*ours.getsockname())
        command: list[str | Path] = [
            "openssl",
            "s_client",
            "-dtls1_2",
            "-connect",
            address,
            "-cert",
            certificate,
            "-key",
            key,
        ]
        with subprocess.Popen(
            [*command, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as client:
            while handshake.keys is None and handshake.problem is None:
                assert select.select([ours], [], [], 10)[0]
                packet, source = ours.recvfrom(4096)
                for answer in handshake.receive(packet):
                    ours.sendto(answer, source)
            output, _ = client.communicate("Q\n", timeout=20)
    return output, handshake
