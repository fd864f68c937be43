"""Why a change is refused: each refusal says what the operator must change."""

import re
from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import IntegrityError


class Refusal(Exception):
    """A change that the platform's rules do not allow."""


class InvalidValue(Refusal):
    """A field's value cannot be accepted."""

    def __init__(self, field: str, value: object, problem: str) -> None:
        super().__init__(f"field='{field}', input='{value}', errors={problem}")


class InUse(Refusal):
    """Something else still needs what should go."""


class LimitReached(Refusal):
    """The customer has bought no more."""


class BadListing(Refusal):
    """A list cannot be filtered or ordered that way."""


def refuse_stillborn(status: str) -> None:
    """Raise InvalidValue if something is to be made that would be gone at once."""
    if status == "terminated":
        raise InvalidValue("status", status, "cannot be created terminated")


#: Unique keys and references by name, and the fields that operators know them by.
CONSTRAINTS: Final[Mapping[str, str]] = {
    "domain_idx": "domain",
    "user_dom_idx": "username",
    "webuser_dom_idx": "webusername",
    "number_idx": "number",
    "alias_idx": "number",
    "co_contact_ref": "contact_id",
    "b_m_profile_ref": "billing_profile_id",
    "dom_reseller_ref": "reseller_id",
    "v_s_contract_ref": "customer_id",
    "v_s_domain_ref": "domain_id",
}
DUPLICATE_ENTRY: Final = 1062
ROW_IS_REFERENCED: Final = 1451
_NAME: Final = re.compile(r"(?:key '|CONSTRAINT `)(?:\w+\.)?(\w+)")
_ENTRY: Final = re.compile(r"entry '(.*)' for key", re.DOTALL)


def refusal_of(error: IntegrityError) -> Refusal:
    """Say in the operator's words what the database's constraints objected to."""
    number, text = (*getattr(error.orig, "args", ()), 0, "")[:2]
    name = _NAME.search(str(text))
    field = CONSTRAINTS.get(name[1], name[1]) if name else "unknown"
    if number == ROW_IS_REFERENCED:
        return InUse("Entity is still in use.")
    if number == DUPLICATE_ENTRY:
        entry = _ENTRY.search(str(text))
        return InvalidValue(field, entry[1] if entry else "", "exists already")
    return InvalidValue(field, "", "does not exist")
