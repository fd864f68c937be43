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
        self.field, self.value, self.problem = field, value, problem

    def within(self, outer: str) -> "InvalidValue":
        """Return the same of a field that lies in the field `outer`."""
        return InvalidValue(f"{outer}.{self.field}", self.value, self.problem)


class InUse(Refusal):
    """Something else still needs what should go."""


class LimitReached(Refusal):
    """The customer has bought no more."""


class NotAllowed(Refusal):
    """It is not for whoever asked to change it."""


class BadListing(Refusal):
    """A list cannot be filtered or ordered that way."""


def refuse_stillborn(status: str) -> None:
    """Raise InvalidValue if something is to be made that would be gone at once."""
    if status == "terminated":
        raise InvalidValue("status", status, "cannot be created terminated")


#: Unique keys and references by name, and the fields that operators know them by.
CONSTRAINTS: Final[Mapping[str, str]] = {
    "login_idx": "login",
    "r_name_idx": "name",
    "r_contract_idx": "contract_id",
    "b_p_handle_idx": "handle",
    "profnamdes_idx": "zone",
    "profsrcdes_idx": "destination",
    "b_z_profile_ref": "billing_profile_id",
    "b_f_profile_ref": "billing_profile_id",
    "b_f_zone_ref": "billing_zone_id",
    "domain_idx": "domain",
    "user_dom_idx": "username",
    "webuser_dom_idx": "webusername",
    "number_idx": "number",
    "alias_idx": "number",
    "co_contact_ref": "contact_id",
    "b_m_profile_ref": "billing_profile_id",
    "dom_reseller_ref": "reseller_id",
    "v_s_contract_ref": "customer_id",
    "vsps_resname_idx": "name",
    "vsps_reseller_ref": "reseller_id",
    "vsp_setname_idx": "name",
    "vsp_setid_ref": "set_id",
    "peer_group_idx": "name",
    "grpname": "name",
    "v_ps_groupid_ref": "group_id",
    "v_pg_groupid_ref": "group_id",
    "v_pig_groupid_ref": "group_id",
    "rwrs_name_idx": "name",
    "v_rwr_setid_ref": "set_id",
    "reslev_idx": "level",
    "levpat_idx": "pattern",
    "listpat_idx": "pattern",
    "levpro_idx": "carrier_id",
    "ns_name_idx": "name",
    "c_p_l_ncoslevid_ref": "ncos_level_id",
    "c_l_l_ncoslevid_ref": "ncos_level_id",
    "c_l_l_lnpproid_ref": "carrier_id",
    "c_p_l_ncoslnplist_ref": "ncos_lnp_carrier_id",
    "nlm_ncos_level_id_ref": "levels",
    "l_n_lnpproid_ref": "carrier_id",
    "res_name_idx": "name",
    "ec_code_idx": "code",
    "container_fk": "emergency_container_id",
    "handle_set_id_idx": "handle",
    "sound_set_idx": "name",
    "v_s_domain_ref": "domain_id",
    "cfds_name_idx": "name",
    "cfts_name_idx": "name",
    "cfss_name_idx": "name",
    "cfbs_name_idx": "name",
    "cfd_announcement_ref": "announcement_id",
    "sd_slot_idx": "slot",
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
