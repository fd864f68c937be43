"""DTLS handshakes that agree on SRTP keys (RFC 5763, RFC 5764), by OpenSSL: datagrams in, datagrams out.

The relay shows one certificate, made at its start, to everybody. Whom we talk to is known by the fingerprint
in the session description.
"""

import datetime
import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from ngcp.rtp.suites import SUITES, Keys
from ngcp.sdp.fingerprint import Fingerprint

#: Suites by the names that OpenSSL has for them, the most preferred first.
PROFILES: Final = {
    b"SRTP_AEAD_AES_256_GCM": "AEAD_AES_256_GCM",
    b"SRTP_AEAD_AES_128_GCM": "AEAD_AES_128_GCM",
    b"SRTP_AES128_CM_SHA1_80": "AES_CM_128_HMAC_SHA1_80",
    b"SRTP_AES128_CM_SHA1_32": "AES_CM_128_HMAC_SHA1_32",
}
#: Datagrams of ours fit any path (RFC 8261 §5 for the same reason).
MTU: Final = 1200
#: A datagram of the peer, and what we may have to say at once.
LARGEST: Final = 1 << 16
#: A record's type, version, epoch and number; its length follows (RFC 9147 §4).
_BEFORE_LENGTH: Final = 11
_RECORD_HEADER: Final = 13
_LABEL: Final = b"EXTRACTOR-dtls_srtp"
_LIFETIME: Final = datetime.timedelta(days=3650)


class Identity:
    """Our certificate and its key."""

    def __init__(self, now: datetime.datetime) -> None:
        """Make a new one that is valid from yesterday on: clocks differ."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "media relay")])
        self._certificate = (
            x509.CertificateBuilder(name, name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + _LIFETIME)
            .sign(key, hashes.SHA256())
        )
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.use_privatekey(key)
        self.context.use_certificate(self._certificate)
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept)
        self.context.set_tlsext_use_srtp(b":".join(PROFILES))

    def fingerprint(self, function: str = "sha-256") -> Fingerprint:
        """Return what our certificate digests to."""
        return _fingerprint(self._certificate, function)


class Handshake:
    """One handshake, and the association that it leaves."""

    def __init__(
        self, identity: Identity, expected: Fingerprint, *, is_client: bool, attempt: int = 1
    ) -> None:
        """Shake hands with whoever has the `expected` certificate."""
        self.is_client = is_client
        self.expected = expected
        self.attempt = attempt
        self.is_started = False
        self.keys: tuple[Keys, Keys] | None = None
        """What protects the peer's packets and ours, once the handshake is done."""
        self.problem: str | None = None
        """Why the handshake has failed."""
        self._ssl = SSL.Connection(identity.context)
        self._ssl.set_ciphertext_mtu(MTU)
        (self._ssl.set_connect_state if is_client else self._ssl.set_accept_state)()

    def start(self) -> list[bytes]:
        """Return what a client says first."""
        self.is_started = True
        self._advance()
        return self._datagrams()

    def again(self, identity: Identity) -> "Handshake":
        """Return one that begins anew."""
        return Handshake(identity, self.expected, is_client=self.is_client, attempt=self.attempt + 1)

    def receive(self, datagram: bytes) -> list[bytes]:
        """Take a datagram of the peer; return what to answer."""
        if self.problem is None:
            self._ssl.bio_write(datagram[:LARGEST])
            self._advance()
        return self._datagrams()

    def handle_timer(self) -> list[bytes]:
        """Return what has to be sent again (RFC 9147 §5.8), to be called about once a second.

        OpenSSL keeps the time by the system's clock.
        """
        if self.problem is None:
            try:
                self._ssl.DTLSv1_handle_timeout()
            except SSL.Error as error:
                self._fail(error)
        return self._datagrams()

    def _advance(self) -> None:
        try:
            if self.keys is None:
                self._ssl.do_handshake()
                self._export()
            else:
                self._ssl.recv(LARGEST)  # lets OpenSSL answer a peer that has missed our last words
        except (SSL.WantReadError, SSL.ZeroReturnError):
            pass
        except SSL.Error as error:
            if self.keys is None:
                self._fail(error)

    def _fail(self, error: SSL.Error) -> None:
        reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
        self.problem = ", ".join(str(reason[-1]) for reason in reasons) or "handshake failed"

    def _export(self) -> None:
        """Cut the keys out of what both sides know, if the peer is who was announced (RFC 5764 §4.2)."""
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or _fingerprint(certificate, self.expected.function) != self.expected:
            self.problem = "certificate is not the announced one"
            return
        name = PROFILES.get(self._ssl.get_selected_srtp_profile())
        if name is None:
            self.problem = "no common SRTP profile"
            return
        suite = SUITES[name]
        both = 2 * suite.key_length
        material = self._ssl.export_keying_material(_LABEL, 2 * suite.master_length)
        masters = [
            material[side * suite.key_length : (side + 1) * suite.key_length]
            + material[both + side * suite.salt_length : both + (side + 1) * suite.salt_length]
            for side in (0, 1)
        ]
        client, server = (Keys(name, master) for master in masters)
        self.keys = (server, client) if self.is_client else (client, server)

    def _datagrams(self) -> list[bytes]:
        try:
            return _packed(self._ssl.bio_read(LARGEST))
        except SSL.WantReadError:
            return []


def _packed(records: bytes) -> list[bytes]:
    """Put as many records into each datagram as fit; none is cut."""
    datagrams = [b""]
    while records:
        end = _RECORD_HEADER + int.from_bytes(records[_BEFORE_LENGTH:_RECORD_HEADER], "big")
        if datagrams[-1] and len(datagrams[-1]) + end > MTU:
            datagrams.append(b"")
        datagrams[-1] += records[:end]
        records = records[end:]
    return datagrams


def _accept(*_: object) -> bool:
    """Believe any certificate for now: the fingerprint tells."""
    return True


def _fingerprint(certificate: x509.Certificate, function: str) -> Fingerprint:
    data = certificate.public_bytes(serialization.Encoding.DER)
    return Fingerprint(function, hashlib.new(function.replace("-", ""), data).digest())
