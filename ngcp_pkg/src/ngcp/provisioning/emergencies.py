"""Emergency mappings: what emergency numbers become, by container."""

from ngcp.provisioning.records import RecordStore, ResellerRecordStore
from ngcp.provisioning.tables.numbers import emergency_containers, emergency_mappings


class EmergencyContainerStore(ResellerRecordStore):
    """Containers of mappings, each of one reseller; preferences name them."""

    table = emergency_containers


class EmergencyMappingStore(RecordStore):
    """Mappings of a container: `code` becomes prefix, code, suffix."""

    table = emergency_mappings
    fixed = ("emergency_container_id",)
