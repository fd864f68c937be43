"""The certificate that a node signs for itself."""

import datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ngcp.tools import certificate

NOW = datetime.datetime(2025, 8, 9, 12, tzinfo=datetime.UTC)
ADDRESSES = [ip_address("192.0.2.10"), ip_address("2001:db8::10")]


@pytest.fixture(scope="module")
def key() -> bytes:
    return certificate.generate_key()


def signed(key: bytes, hostname: str = "spce.example.org") -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.self_sign(key, hostname, ADDRESSES, NOW))


def test_names_the_host_and_its_addresses(key: bytes) -> None:
    """RFC 6125 §6.4: a client compares what it dialled with the subject alternative names."""
    names = signed(key).extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["spce.example.org"]
    assert names.get_values_for_type(x509.IPAddress) == ADDRESSES


def test_is_signed_by_its_own_key_and_is_no_authority(key: bytes) -> None:
    made = signed(key)

    made.verify_directly_issued_by(made)
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_is_valid_for_a_peer_whose_clock_is_behind(key: bytes) -> None:
    made = signed(key)

    assert made.not_valid_before_utc < NOW < made.not_valid_after_utc


def test_a_host_name_longer_than_a_common_name_is_whole_in_the_alternative_names(key: bytes) -> None:
    """RFC 5280, appendix A: a common name has at most 64 characters."""
    hostname = f"{'a' * 40}.{'b' * 40}.example.org"
    names = signed(key, hostname).extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == [hostname]


def test_a_key_that_phones_do_not_know_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    with pytest.raises(ValueError, match="not an RSA key"):
        certificate.self_sign(other, "spce", [], NOW)


def test_a_key_with_a_passphrase_is_refused(key: bytes) -> None:
    plain = serialization.load_pem_private_key(key, password=None)
    locked = plain.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    )

    with pytest.raises(ValueError, match=r"(?i)password"):
        certificate.self_sign(locked, "spce", [], NOW)
