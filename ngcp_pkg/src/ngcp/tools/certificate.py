"""A self-signed TLS certificate (RFC 5280, RFC 6125) for a node that has none from an authority."""

import datetime
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Nobody renews a self-signed certificate: it lasts as long as a node may.
LIFETIME: Final = datetime.timedelta(days=3650)
#: A node's clock may be behind those of its peers when it boots for the first time.
CLOCK_SKEW: Final = datetime.timedelta(days=1)
#: RFC 5280, appendix A: ub-common-name.
COMMON_NAME_LIMIT: Final = 64


def generate_key() -> bytes:
    """Return a new private key in PEM: RSA, because phones in the field do not know anything else."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def self_sign(
    key_pem: bytes, hostname: str, addresses: Iterable[IPv4Address | IPv6Address], now: datetime.datetime
) -> bytes:
    """Return a certificate in PEM for `hostname` and `addresses`, signed by its own key.

    Raises ValueError if `key_pem` is no private RSA key without passphrase.
    """
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
    except TypeError as error:  # the key wants a passphrase
        raise ValueError(str(error)) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:COMMON_NAME_LIMIT])])
    names = [x509.DNSName(hostname), *map(x509.IPAddress, addresses)]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
