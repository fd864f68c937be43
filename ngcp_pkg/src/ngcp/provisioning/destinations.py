"""Where call forwards and speed dials lead: what operators write, and the SIP URI that it stands for.

`voicebox` and its like are services of the platform, which finds them by their URIs; a number is one of the
subscriber's own domain.
"""

import re
from collections.abc import Mapping
from typing import Final

from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Uri

#: Characters of a URI that can be stored.
LONGEST: Final = 255
#: Services by the word for them; `{number}` is the subscriber's number, or the UUID of one who has none.
SERVICES: Final[Mapping[str, str]] = {
    "voicebox": "sip:vmu{number}@voicebox.local",
    "fax2mail": "sip:fax={number}@fax2mail.local",
    "conference": "sip:conf={number}@conference.local",
    "callingcard": "sip:callingcard@app.local",
    "callthrough": "sip:callthrough@app.local",
    "localuser": "sip:localuser@app.local",
    "autoattendant": "sip:auto-attendant@app.local",
    "officehours": "sip:office-hours@app.local",
    "customhours": "sip:custom-hours@app.local",
    "managersecretary": "sip:{number}@managersecretary.local",
}
#: Services that have a domain to themselves, whatever the user part says.
_DOMAINS: Final[Mapping[str, str]] = {
    "voicebox.local": "voicebox",
    "fax2mail.local": "fax2mail",
    "conference.local": "conference",
    "managersecretary.local": "managersecretary",
}
_APPLICATIONS: Final[Mapping[str, str]] = {
    uri: word for word, uri in SERVICES.items() if uri.endswith("@app.local")
}
_NUMBER: Final = re.compile(r"\+?([0-9*#]+)")
_USER: Final = re.compile(r"[^\s@:;?<>\"]+")


def uri_of(text: str, number: str, domain: str, kind: str = "") -> str:
    """Return the SIP URI that `text` stands for with a subscriber of that number and domain.

    Who is busy (forwards of `kind` cfb) has another greeting. Raises ValueError if it stands for none.
    """
    service = SERVICES.get(text)
    if service is not None:
        uri = service.format(number=number)
        return uri.replace("sip:vmu", "sip:vmb", 1) if kind == "cfb" else uri
    uri = _complete(text, domain)
    try:
        user = Uri.parse(uri).user
    except SipError as error:
        raise ValueError(str(error)) from error
    if not user:
        raise ValueError("a user part expected")
    if len(uri) > LONGEST:
        raise ValueError(f"at most {LONGEST} characters expected")
    return uri


def word_of(uri: str) -> str | None:
    """Return the word for the service at a URI, None if it is none."""
    return _DOMAINS.get(uri.rpartition("@")[2]) or _APPLICATIONS.get(uri)


def renumbered(old: str, new: str) -> Mapping[str, str]:
    """Return by what to replace the URIs of a subscriber's services once his number is another one."""
    services = [service for service in SERVICES.values() if "{number}" in service]
    services.append(SERVICES["voicebox"].replace("vmu", "vmb"))
    return {service.format(number=old): service.format(number=new) for service in services}


def simple(uri: str, domain: str) -> str | None:
    """Return how a subscriber of `domain` would write a URI: its user part if it is in his domain."""
    if word_of(uri) is not None:
        return None
    address = uri.partition(":")[2]
    user, _, host = address.rpartition("@")
    return user if host == domain else address


def _complete(text: str, domain: str) -> str:
    """Return `text` with the scheme and the domain that it may lack."""
    scheme, colon, address = text.partition(":")
    if not colon or scheme.lower() not in ("sip", "sips"):
        scheme, address = "sip", text
    if "@" not in address:
        if _USER.fullmatch(address) is None:
            raise ValueError("a number, a SIP URI, or one of " + ", ".join(SERVICES) + " expected")
        digits = _NUMBER.fullmatch(address)
        address = f"{digits[1] if digits else address}@{domain}"
    return f"{scheme.lower()}:{address}"
