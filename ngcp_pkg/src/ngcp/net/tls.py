"""The certificate that phones see: read from files, and read anew while connections stay up.

A connection keeps the context that it was accepted with; a new context is for new handshakes only.
"""

import socket
import ssl
from pathlib import Path


class BadCertificate(OSError):
    """A certificate or key that TLS cannot use; names the file."""


class Certificate:
    """A certificate chain with its key, and the context made of them."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Read both, or raise `BadCertificate`."""
        self._chain = chain
        self._key = key
        self.context = self._read()
        """For accepting phones: TLS 1.2 or later; they show no certificate."""

    def reload(self) -> None:
        """Read both anew; with a `BadCertificate` the old ones stay in use."""
        self.context = self._read()

    def wrap(self, accepted: socket.socket) -> ssl.SSLSocket:
        """Begin TLS as the server on a socket that does not block; `OSError` if its peer has left already."""
        try:
            return self.context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        except ValueError as error:
            raise ConnectionAbortedError(str(error)) from error

    def _read(self) -> ssl.SSLContext:
        for path, mark in ((self._chain, "CERTIFICATE-----"), (self._key, "PRIVATE KEY-----")):
            try:
                text = path.read_text("ascii", "replace")
            except OSError as error:
                raise BadCertificate(f"{path}: {error.strerror}") from error
            if mark not in text:
                raise BadCertificate(f"{path}: no PEM file with a {mark.strip('-').lower()} in it")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:  # with a passphrase that is wrong, as nobody is there to be asked for the right one
            context.load_cert_chain(self._chain, self._key, password=lambda: "")
        except ssl.SSLError as error:
            raise BadCertificate(f"{self._chain} with {self._key}: {_why(error)}") from error
        return context


def _why(error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not that of the certificate"
    return error.reason.lower().replace("_", " ") if error.reason else "unreadable, or under a passphrase"


def failure_of(error: Exception) -> str:
    """Name, for counting, why a handshake failed: `plain_text`, `old_version` or `other`."""
    reason = getattr(error, "reason", None)
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return "plain_text"
    if reason in ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW"):
        return "old_version"
    return "other"
