"""Secrets that systemd hands to a unit (`LoadCredential=`), never written in a configuration file.

A file holds the secret in hex digits, and in further lines those before it: `HEX UNTIL`, with the Unix time
until which what they signed is still good. systemd reads it when the unit starts; a secret that was rotated
later is put into the unit's RuntimeDirectory by its ExecReload.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcp.service.config import ConfigError

#: A secret shorter than this protects nothing: 128 bits, in bytes.
MINIMUM: Final = 16


@dataclass(frozen=True, slots=True)
class Credential:
    """What a daemon signs with, and what it believes beside that."""

    secret: bytes
    earlier: tuple[bytes, ...] = ()
    """Secrets before it: nothing is signed with them any more, but what was stays good for a while."""


def read(name: str = "secret") -> Credential:
    """Return the credential `name` as it is now; raises ConfigError."""
    path = _find(name)
    try:
        first, *others = path.read_text(encoding="ascii").splitlines()
        lines = [line.split() for line in others]
        now = time.time()
        earlier = tuple(bytes.fromhex(text) for text, until in lines if float(until) > now)
        credential = Credential(bytes.fromhex(first), earlier)
    except OSError as error:
        raise ConfigError(
            path, "", f"no credential: {error.strerror}; the unit needs LoadCredential={name}:…"
        ) from error
    except ValueError as error:
        raise ConfigError(
            path, "", "a credential is written in hex digits, earlier ones below it, each with its end"
        ) from error
    if min(map(len, (credential.secret, *credential.earlier))) < MINIMUM:
        raise ConfigError(path, "", f"a credential has at least {2 * MINIMUM} hex digits")
    return credential


def _find(name: str) -> Path:
    reloaded = Path(os.environ.get("RUNTIME_DIRECTORY", "/nonexistent")) / name
    return (
        reloaded
        if reloaded.exists()
        else Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")) / name
    )
