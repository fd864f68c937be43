"""Where the proxy's knowledge comes from: a few statements, each for many names (database `kamailio`)."""

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from typing import Final

from ngcp.provisioning.line import Line, Row, tuple_of
from ngcp.provisioning.rating.profiles import Known

from . import routing
from .announcements import load_announcements
from .calling import Calling, load_calling, load_trusted
from .credit import Credit, load_credits, load_tariffs
from .layers import DEFAULTS, LIST, NO_LAYER, by_number, layer_of, load_layers
from .names import ANYWHERE, Name
from .numbers import Ported
from .platform import Domain, Platform
from .preferences import Layer, Preferences
from .subscriber import Subscriber

#: Names asked for in one statement.
MOST: Final = 200

#: Marks an alias that is a device's own; no user name has it.
DEVICE: Final = "/"
#: What most subscribers have their calls do.
_NOTHING: Final = Calling()
_ACCOUNTS: Final = f"""
SELECT s.uuid, s.username, s.domain, s.ha1, s.password, s.timezone,
 (SELECT {LIST} FROM kamailio.usr_preferences p WHERE p.uuid = s.uuid),
 (SELECT {LIST} FROM kamailio.contract_preferences p WHERE p.uuid = (SELECT MAX(o.value)
    FROM kamailio.usr_preferences o WHERE o.uuid = s.uuid AND o.attribute = 'account_id')),
 (SELECT v.profile_id FROM provisioning.voip_subscribers v WHERE v.uuid = s.uuid),
 (SELECT GROUP_CONCAT(IF(a.is_devid, '/', ''), a.alias_username,
    IF(a.alias_domain = s.domain, '', CONCAT('@', a.alias_domain)) SEPARATOR ' ')
  FROM kamailio.dbaliases a WHERE a.username = s.username AND a.domain = s.domain),
 (SELECT IF(b.prepaid, b.id, NULL) FROM billing.voip_subscribers v
  JOIN billing.billing_mappings m ON m.contract_id = v.contract_id
  JOIN billing.billing_profiles b ON b.id = m.billing_profile_id
  WHERE v.uuid = s.uuid AND (m.start_date IS NULL OR m.start_date <= UTC_TIMESTAMP())
   AND (m.end_date IS NULL OR m.end_date >= UTC_TIMESTAMP()) ORDER BY m.start_date DESC, m.id DESC LIMIT 1)
FROM kamailio.subscriber s WHERE """
_DOMAINS: Final = """
SELECT d.domain, b.reseller_id FROM kamailio.domain d LEFT JOIN billing.domains b ON b.domain = d.domain"""
_OWNERS: Final = "SELECT alias_username, alias_domain, username, domain FROM kamailio.dbaliases WHERE "
_NAMED: Final = "SELECT uuid, username, domain FROM kamailio.subscriber WHERE uuid IN "


class Directory:
    """Subscribers, the numbers that lead to them, and the domains that are ours.

    Each question is one statement for any number of names, and raises DatabaseUnavailable if the database
    cannot answer it.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    async def platform(self) -> Platform:
        """Return what all calls share, as it is now."""
        line = self._line
        peers = by_number(await load_layers(line, "peer_preferences", "uuid"))
        return Platform(
            domains=await _load_domains(line),
            profiles=by_number(await load_layers(line, "prof_preferences", "uuid")),
            resellers=by_number(await load_layers(line, "reseller_preferences", "uuid")),
            defaults=DEFAULTS,
            dialplans=await routing.load_dialplans(line),
            peer_groups=await routing.load_peer_groups(line, peers),
            ncos_levels=await routing.load_levels(line),
            ncos_sets=await routing.load_level_sets(line),
            emergency=await routing.load_emergencies(line),
            carriers=await routing.load_carriers(line),
            trusted=await load_trusted(line),
            announcements=await load_announcements(line),
        )

    async def subscribers(self, names: Collection[Name]) -> Mapping[Name, Subscriber]:
        """Return those of the named subscribers that exist."""
        rows = await self._fetch(_ACCOUNTS, "s.domain", "s.username", names)
        found: dict[Name, Subscriber] = {}
        for start in range(0, len(rows), MOST):
            part = rows[start : start + MOST]
            calling = await load_calling(self._line, [str(row[0]) for row in part])
            subscribers = (_subscriber(row, calling.get(str(row[0]), _NOTHING)) for row in part)
            found |= {subscriber.name: subscriber for subscriber in subscribers}
        return found

    async def owners(self, numbers: Collection[Name]) -> Mapping[Name, Name]:
        """Return whom each of these numbers, E.164 without "+", leads to, as far as to anybody.

        A number in the domain ANYWHERE leads to whoever has it in any.
        """
        rows = await self._fetch(_OWNERS, "alias_domain", "alias_username", numbers)
        found = {Name(str(row[0]), str(row[1])): Name(str(row[2]), str(row[3])) for row in rows}
        anywhere = [each.user for each in numbers if each.domain == ANYWHERE and _is_text(each)]
        if anywhere:
            rows = list(await self._line.fetch(f"{_OWNERS} alias_username IN {tuple_of(anywhere)}"))
            found |= {Name(str(row[0]), ANYWHERE): Name(str(row[2]), str(row[3])) for row in rows}
        return found

    async def named(self, uuids: Collection[Name]) -> Mapping[Name, Name]:
        """Return who has these UUIDs, each the user part of a name without domain, as far as anybody."""
        asked = [uuid.user for uuid in uuids if _is_text(uuid)]
        rows = await self._line.fetch(_NAMED + tuple_of(asked)) if asked else []
        return {Name(str(row[0]), ""): Name(str(row[1]), str(row[2])) for row in rows}

    async def credits(self, contracts: Collection[Name]) -> Mapping[Name, Credit]:
        """Return what these customers have left, each the user part of a name without domain."""
        return await load_credits(self._line, contracts)

    async def tariffs(self, profiles: Collection[Name]) -> Mapping[Name, Known]:
        """Return these billing profiles, each the user part of a name without domain."""
        return await load_tariffs(self._line, profiles)

    async def ported(self, numbers: Collection[Name]) -> Mapping[Name, Ported]:
        """Return what is known of numbers that were ported; their domain is empty."""
        asked, found = [name.user for name in numbers if _is_text(name)], dict[Name, Ported]()
        for start in range(0, len(asked), MOST):
            found |= await routing.load_ported(self._line, asked[start : start + MOST])
        return found

    async def _fetch(self, query: str, domain: str, user: str, names: Collection[Name]) -> list[Row]:
        asked = sorted(filter(_is_text, names), key=lambda name: name.domain)
        rows: list[Row] = []
        for start in range(0, len(asked), MOST):
            by_domain = groupby(asked[start : start + MOST], key=lambda name: name.domain)
            conditions = (_condition(domain, user, key, group) for key, group in by_domain)
            rows += await self._line.fetch(query + " OR ".join(conditions))
        return rows


def _condition(domain: str, user: str, name: str, members: Iterable[Name]) -> str:
    """Look in the unique index of both columns."""
    return f"({domain}={tuple_of([name])} AND {user} IN {tuple_of([member.user for member in members])})"


def _is_text(name: Name) -> bool:
    """Whether it can be asked for: text off the wire that is no UTF-8 names nobody here."""
    try:
        return bool("".join(name).encode())
    except UnicodeEncodeError:
        return False


async def _load_domains(line: Line) -> Mapping[str, Domain]:
    """Return our domains by name in lower case."""
    layers = await load_layers(line, "dom_preferences", "domain")
    return {
        str(name).lower(): Domain(int(reseller) if reseller else None, layers.get(str(name), NO_LAYER))
        for name, reseller in await line.fetch(_DOMAINS)
    }


def _subscriber(row: Row, calling: Calling) -> Subscriber:
    texts = [str(value or "") for value in row]
    uuid, username, domain, ha1, password, timezone, own, contract, profile, aliases, prepaid = texts
    preferences = layer_of(own)
    return Subscriber(
        uuid,
        username,
        domain,
        ha1,
        password,
        frozenset(aliases.replace(DEVICE, "").split()),
        frozenset(alias.removeprefix(DEVICE) for alias in aliases.split() if alias.startswith(DEVICE)),
        preferences,
        layer_of(contract) if contract else NO_LAYER,
        account_id=_number(preferences, "account_id"),
        reseller_id=_number(preferences, "reseller_id"),
        profile_id=int(profile) if profile else None,
        prepaid=int(prepaid) if prepaid else None,
        forwards=calling.forwards,
        speed_dials=calling.speed_dials,
        locations=calling.locations,
        timezone=timezone,
    )


def _number(layer: Layer, attribute: str) -> int | None:
    return Preferences((layer,)).number(attribute)
