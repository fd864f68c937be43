"""What the 200 to a REGISTER says (RFC 3261 §10.3 step 8, RFC 5626 §6, RFC 5627 §5.2)."""

from collections.abc import Sequence

from ..syntax.fields import quote_string
from ..syntax.message import Request
from .bindings import Binding
from .gruu import Gruus
from .registration import EXTENSIONS, options_of


def headers_for(
    request: Request, bindings: Sequence[Binding], gruus: Gruus, now: float
) -> list[tuple[str, str]]:
    """Return the headers of the answer to `request`, which made `bindings` what they are; `now` is Unix time.

    The Path is not among them (RFC 3327 §5.3 would have it there): it leads through the inside.
    """
    options = options_of(request)
    known = gruus if "gruu" in options else None
    headers = [("Contact", _write(binding, known, now)) for binding in bindings]
    if options.isdisjoint(EXTENSIONS):
        return headers
    headers.append(("Supported", ", ".join(EXTENSIONS)))
    made = [one for one in bindings if one.call_id == request.call_id and one.cseq == request.cseq.number]
    if "outbound" in options and any(binding.reg_id for binding in made):
        headers.append(("Require", "outbound"))
    return headers


def _write(binding: Binding, gruus: Gruus | None, now: float) -> str:
    text = f"<{binding.contact}>"
    if binding.q < 1.0:
        text += f";q={binding.q:g}"
    text += f";expires={max(1, round(binding.expires_at - now))}"
    if binding.instance:
        text += f';+sip.instance="{binding.instance}"'
        if binding.reg_id:
            text += f";reg-id={binding.reg_id}"
        if gruus is not None:
            public, temporary = quote_string(gruus.public(binding)), quote_string(gruus.temporary(binding))
            text += f";pub-gruu={public};temp-gruu={temporary}"
    return text
