"""Client certificates, by which administrators log in without a password: /api/admincerts/.

They are signed by an authority of the node's own, made when the daemon first starts; its key never leaves the
node. What counts is the serial number in billing.admins: a new certificate takes the place of the one before.
"""

import contextlib
import io
import os
import secrets
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from ngcp.api.errors import ApiError
from ngcp.api.models import Body, UserName
from ngcp.api.resource import Kind
from ngcp.api.roles import may_give
from ngcp.provisioning.engine import transaction
from ngcp.provisioning.principals import Principal
from ngcp.provisioning.refusals import InvalidValue, NotAllowed
from ngcp.provisioning.tables.billing import acl_roles, admins

#: How long certificates, and the authority itself, are good.
LIFETIME: Final = timedelta(days=3650)
#: Clocks of clients may be behind.
EARLIER: Final = timedelta(days=1)


#: Name, entity and summary of the collection.
CERTIFICATES: Final = (
    "admincerts",
    "client certificate",
    "Client certificates of administrators; a new one takes the place of the one before",
)


class CertificateRequest(Body):
    """Whose certificate is wanted."""

    login: Annotated[UserName, Field(max_length=31)]


class Authority:
    """Signs client certificates; certificate and key are files in a directory of the daemon's own."""

    def __init__(self, directory: Path) -> None:
        """Read the authority, or make it; raises OSError naming the file that cannot be read or written."""
        self.path = directory / "client-ca.pem"
        key_path = directory / "client-ca.key"
        if not self.path.exists():
            _make_authority(self.path, key_path)
        key = load_pem_private_key(key_path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey), "we made it ourselves"
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(self.path.read_bytes())

    def issue(self, login: str) -> tuple[int, bytes]:
        """Return the serial number of a new certificate, and it with its key as PEM."""
        key, serial = ec.generate_private_key(ec.SECP256R1()), secrets.randbits(63) | 1
        builder = _builder(_name(login), self._certificate.subject, key, serial)
        certificate = builder.sign(self._key, hashes.SHA256())
        return serial, certificate.public_bytes(Encoding.PEM) + _pem(key)


@dataclass(frozen=True, slots=True)
class AdminCertificates(Kind):
    """The collection, of which nothing is shown again."""

    engine: AsyncEngine
    authority: Authority

    @property
    def filters(self) -> tuple[str, ...]:
        """Nothing is listed."""
        return ()

    @property
    def collection_methods(self) -> tuple[str, ...]:
        """One may ask for a certificate."""
        return ("OPTIONS", "POST")

    @property
    def item_methods(self) -> tuple[str, ...]:
        """There are no items."""
        return ()

    async def create(self, request: Request, body: CertificateRequest) -> Response:
        """Answer POST: the certificate and its key, in a ZIP archive or, if `Accept` says so, as PEM."""
        principal: Principal = request.state.principal
        if body.login != principal.login and not principal.is_master:
            raise ApiError(HTTPStatus.FORBIDDEN, "Only a master may ask for others' certificates.")
        serial, pem = self.authority.issue(body.login)
        async with self._administrator(body.login, principal) as (connection, number):
            certificate = pem.partition(b"-----BEGIN PRIVATE")[0]
            values = {"ssl_client_m_serial": serial, "ssl_client_certificate": certificate.decode()}
            await connection.execute(update(admins).where(admins.c.id == number).values(**values))
        name = f"NGCP-API-client-certificate-{serial}"
        if "pem" in request.headers.get("accept", ""):
            return _file(pem, f"{name}.pem", "application/x-pem-file")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(f"{name}.pem", pem)
        return _file(archive.getvalue(), f"{name}.zip", "application/zip")

    @contextlib.asynccontextmanager
    async def _administrator(
        self, login: str, principal: Principal
    ) -> AsyncIterator[tuple[AsyncConnection, int]]:
        """Find an administrator whom `principal` may manage; raises Refusal."""
        query = (
            select(admins.c.id, acl_roles.c.role)
            .join_from(admins, acl_roles, admins.c.role_id == acl_roles.c.id)
            .where(admins.c.login == login, admins.c.is_active == 1)
        )
        if principal.root is not None:
            query = query.where(admins.c.reseller_id == principal.root.number)
        async with transaction(self.engine) as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                raise InvalidValue("login", login, "does not exist, or is not active")
            if login != principal.login and not may_give(principal, row.role):
                raise NotAllowed(f"Role {principal.role} may not log in as role {row.role}.")
            yield connection, int(row.id)


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, HTTPStatus.OK, headers, media_type)


def _make_authority(path: Path, key_path: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), _name("NGCP API client certificates")
    builder = _builder(name, name, key, x509.random_serial_number())
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    certificate = builder.add_extension(constraints, critical=True).sign(key, hashes.SHA256())
    for target, content in ((key_path, _pem(key)), (path, certificate.public_bytes(Encoding.PEM))):
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(content)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, serial: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + LIFETIME)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
