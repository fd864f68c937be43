"""Where a subscriber can be reached now: everywhere, at one device, or at the place of a device alias."""

from ngcp.provisioning.runtime import Preferences, Subscriber
from ngcp.proxy.call import Call
from ngcp.proxy.floor import Floor, Outcome
from ngcp.sip.core.bindings import AddressOfRecord, Binding
from ngcp.sip.core.gruu import PARAMETER
from ngcp.sip.syntax import Uri


def open_gruu(call: Call, floor: Floor) -> Outcome | None:
    """Let the URI say which device a temporary GRUU leads to (RFC 5627 §5.5)."""
    if PARAMETER in call.uri.params:
        call.uri = floor.gruus.open(call.uri, call.now)
    return None


def address_of(subscriber: Subscriber, user: str, host: str) -> AddressOfRecord:
    """Return the address-of-record that `user` names: a device alias has one of its own."""
    if user in subscriber.device_aliases:
        return AddressOfRecord(user, host)
    return AddressOfRecord(subscriber.username, subscriber.domain)


def bindings_of(call: Call, floor: Floor) -> list[Binding]:
    """Return the places where the callee rings, the best first; one for each device (RFC 5626 §7).

    A device alias rings alone. The primary number leaves devices alone, unless the preference
    `lookup_all_registrations` says otherwise.
    """
    subscriber = call.callee.subscriber
    assert subscriber is not None, "only subscribers are registered"
    if PARAMETER in call.uri.params:
        return floor.gruus.find(call.uri, call.now)
    addresses = _addresses(subscriber, call.uri, call.callee.preferences)
    found = [binding for aor in addresses for binding in floor.registrar.bindings(aor, call.now)]
    found.sort(key=lambda binding: (-binding.q, -binding.expires_at))
    return _one_flow_each(found) if any(binding.reg_id for binding in found) else found


def _addresses(subscriber: Subscriber, uri: Uri, preferences: Preferences) -> list[AddressOfRecord]:
    first = address_of(subscriber, uri.name.removeprefix("+"), uri.host)
    if first.username != subscriber.username or not preferences.flag("lookup_all_registrations"):
        return [first]
    devices = sorted(subscriber.device_aliases)
    return [first, *(AddressOfRecord(device, subscriber.domain) for device in devices)]


def _one_flow_each(bindings: list[Binding]) -> list[Binding]:
    """Leave out the other flows of a device: it must not ring twice."""
    seen: set[tuple[AddressOfRecord, str]] = set()
    chosen = []
    for binding in bindings:
        device = binding.aor, binding.instance or ""
        if binding.reg_id == 0 or device not in seen:
            chosen.append(binding)
        if binding.reg_id:
            seen.add(device)
    return chosen
