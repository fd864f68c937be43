"""GRUUs: URIs that lead to one device of an address-of-record (RFC 5627).

A public one shows address-of-record and instance, `sip:alice@example.org;gr=urn:uuid:…`. A temporary one,
`sip:tgruu.TOKEN@example.org;gr`, shows neither: its token holds whose it is, sealed. So nothing is kept of
them; they work as long as the registration that they were given out with.
"""

from binascii import crc32
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote

from ..errors import SipError
from ..syntax.seal import Seal
from ..syntax.uri import Uri
from .bindings import AddressOfRecord, Binding
from .registrar import Registrar

#: The parameter that makes a SIP URI a GRUU.
PARAMETER: Final = "gr"
_TEMPORARY: Final = "tgruu."
#: What stays as it is in a user part, and in a parameter (§25.1).
_USER: Final = "!*'()&=+$,?/"
_VALUE: Final = "!*'()[]/:&+$"


class UnknownGruu(SipError):
    """A temporary GRUU that we did not make, or whose registration is over (RFC 5627 §5.5)."""

    status = 404
    reason = "Not Found"


class Gruus:
    """Writes GRUUs and finds the devices that they lead to."""

    def __init__(self, secret: bytes, registrar: Registrar) -> None:
        self._seal = Seal(secret, "gruu")
        self._registrar = registrar

    def rekey(self, secret: bytes, earlier: Sequence[bytes]) -> None:
        """Seal with another secret from now on; `earlier` ones still open what they sealed."""
        self._seal = Seal(secret, "gruu", earlier)

    def public(self, binding: Binding) -> str:
        """Return the GRUU that a device always has; `binding` names an instance."""
        aor, instance = binding.aor, (binding.instance or "").strip("<>")
        return f"sip:{quote(aor.username, _USER)}@{aor.domain};{PARAMETER}={quote(instance, _VALUE)}"

    def temporary(self, binding: Binding) -> str:
        """Return a GRUU that tells nobody whose it is; each refresh makes another one."""
        text = f"{binding.cseq:x}.{_session(binding)}.{binding.ruid}.{binding.aor.username}"
        return f"sip:{_TEMPORARY}{self._seal.close(text)}@{binding.aor.domain};{PARAMETER}"

    def open(self, uri: Uri, now: float) -> Uri:
        """Return the public GRUU of the device that a temporary one leads to; any other URI as it is."""
        user = uri.user or ""
        if PARAMETER not in uri.params or not user.startswith(_TEMPORARY):
            return uri
        _, session, ruid, username = self._seal.open(user.removeprefix(_TEMPORARY)).split(".", 3)
        for binding in self._registrar.bindings(AddressOfRecord(username, uri.host), now):
            if binding.ruid == ruid and _session(binding) == session and binding.instance:
                return Uri.parse(self.public(binding))
        raise UnknownGruu(f"a temporary GRUU of {username} is over")

    def find(self, uri: Uri, now: float) -> list[Binding]:
        """Return where the device is that a public GRUU leads to: by the flow it came by last."""
        instance = unquote(uri.params.get(PARAMETER) or "").lower()
        known = self._registrar.bindings(AddressOfRecord(uri.name, uri.host), now)
        flows = [one for one in known if (one.instance or "").strip("<>").lower() == instance != ""]
        return [max(flows, key=lambda binding: binding.expires_at)] if flows else []


def _session(binding: Binding) -> str:
    """Tell one life of a device from the next (RFC 5627 §5.1: another Call-ID ends temporary GRUUs)."""
    return f"{crc32(binding.call_id.encode('utf-8', 'surrogateescape')):x}"
