"""Where a subscriber's calls come from without credentials, and where he is called besides his phones."""

from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import BelongingStore, Holder, holder_of
from ngcp.provisioning.publication import publish_trust
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Entity, Values
from ngcp.provisioning.tables.features import voip_subscriber_location_mappings, voip_trusted_sources
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Uri


class TrustedSourceStore(BelongingStore):
    """Addresses whose calls are a subscriber's own, without a password."""

    table = voip_trusted_sources
    hidden = frozenset({"uuid"})

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """See `RecordStore`."""
        holder = await holder_of(connection, values["subscriber_id"])
        return {**values, "account": holder.account, "uuid": holder.uuid}

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """See `RecordStore`."""
        await publish_trust(connection, (await holder_of(connection, entity["subscriber_id"])).uuid)


class LocationMappingStore(BelongingStore):
    """Places to call beside, or instead of, those where a subscriber has registered."""

    table = voip_subscriber_location_mappings

    def normal(self, values: Values, holder: Holder) -> Values:
        """Check the place; the subscriber himself is none."""
        location = values["location"]
        try:
            Uri.parse(location)
        except SipError as error:
            raise InvalidValue("location", location, str(error)) from error
        if values["mode"] == "forward" and values["to_username"] is None and holder.is_at(location):
            raise InvalidValue("location", location, "leads back to the subscriber: a loop")
        return values
