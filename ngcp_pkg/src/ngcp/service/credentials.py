"""Secrets that systemd hands to a unit (`LoadCredential=`), never written in a configuration file."""

import os
from pathlib import Path

from ngcp.service.config import ConfigError

#: A secret shorter than this protects nothing: 128 bits, in bytes.
MINIMUM = 16


def read(name: str = "secret") -> bytes:
    """Return the credential `name`: hex digits decoded, from `$CREDENTIALS_DIRECTORY`."""
    path = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials")) / name
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise ConfigError(
            path, "", f"no credential: {error.strerror}; the unit needs LoadCredential={name}:…"
        ) from error
    except ValueError as error:
        raise ConfigError(path, "", "a credential is written in hex digits") from error
    if len(secret) < MINIMUM:
        raise ConfigError(path, "", f"a credential has at least {2 * MINIMUM} hex digits")
    return secret
