"""What becomes of a number because it was ported, or because it was not (RFC 4694)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ngcp.provisioning.rewriting import Lookup, rewrite
from ngcp.provisioning.runtime import Carrier, Ported, Preferences, RewriteRule


@dataclass(frozen=True, slots=True)
class Portability:
    """How a number is routed after it was looked up."""

    number: str
    """The user part from now on."""
    routing_number: str | None = None
    """Parameter `rn` (§5.1); None: it is in `number`, or there is none."""
    is_looked_up: bool = False
    """Whether to say so by `npdi` (§5.3)."""
    carrier: Carrier | None = None


def routed(
    number: str, ported: Ported | None, carriers: Mapping[int, Carrier], preferences: Preferences
) -> Portability:
    """Return where `number`, E.164 without "+", leads by what is known of it and the caller's preferences.

    The carrier's prefix and the routing number take the number's place, or go beside it (`lnp_to_rn`); what
    was not ported gets the `default_lnp_prefix`. The caller's LNP rules are then up to `rewritten`.
    """
    is_looked_up = preferences.flag("lnp_add_npdi")
    carrier = carriers.get(ported.carrier) if ported else None
    if ported is None or carrier is None:
        prefix = preferences.text("default_lnp_prefix") or ""
        return Portability(prefix + number, is_looked_up=is_looked_up)
    if preferences.flag("lnp_to_rn"):
        routing_number = carrier.prefix + (ported.routing_number or "")
        return Portability(number, routing_number or None, is_looked_up, carrier)
    return Portability(carrier.prefix + (ported.routing_number or number), None, is_looked_up, carrier)


def rewritten(number: str, carrier: Carrier | None, rules: Iterable[RewriteRule], look_up: Lookup) -> str:
    """Return what the LNP rules make of a number, unless its carrier skips them."""
    return number if carrier is not None and carrier.skips_rewrite else rewrite(rules, number, look_up)
