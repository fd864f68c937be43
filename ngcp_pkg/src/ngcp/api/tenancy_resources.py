"""Resources of tenancy: resellers, administrators, billing."""

from typing import Final

from ngcp.api import tenancy_models as models
from ngcp.api.resource import Resource
from ngcp.provisioning.administrators import AdministratorStore
from ngcp.provisioning.balances import CustomerBalanceStore
from ngcp.provisioning.billing import BillingFeeStore, BillingProfileStore, BillingZoneStore
from ngcp.provisioning.fraud import FraudEventStore, FraudPreferenceStore
from ngcp.provisioning.resellers import ResellerStore

TENANCY: Final = (
    Resource(
        "resellers",
        "reseller",
        "Resellers; the first one is the provider itself; status terminated ends one",
        ResellerStore(),
        models.Reseller,
        links={"contract_id": "contracts"},
    ),
    Resource(
        "admins",
        "administrator",
        "Who may use this API, by role",
        AdministratorStore(),
        models.Administrator,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "billingprofiles",
        "billing profile",
        "How customers are charged; status terminated ends one",
        BillingProfileStore(),
        models.BillingProfile,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "billingzones",
        "billing zone",
        "Names for destinations of one price",
        BillingZoneStore(),
        models.BillingZone,
        links={"billing_profile_id": "billingprofiles"},
    ),
    Resource(
        "billingfees",
        "billing fee",
        "What calls cost",
        BillingFeeStore(),
        models.BillingFee,
        links={"billing_profile_id": "billingprofiles", "billing_zone_id": "billingzones"},
    ),
)

BALANCES: Final = (
    Resource(
        "customerbalances",
        "customer balance",
        "What customers have to spend in the billing interval of now",
        CustomerBalanceStore(),
        models.CustomerBalance,
        links={"customer_id": "customers"},
    ),
    Resource(
        "customerfraudpreferences",
        "customer fraud preference",
        "How much a customer may spend until his subscribers are locked; what is not set is his profile's",
        FraudPreferenceStore(),
        models.FraudLimits,
        links={"customer_id": "customers"},
    ),
    Resource(
        "customerfraudevents",
        "customer fraud event",
        "Limits that customers have reached, once a month or day each",
        FraudEventStore(),
        links={"customer_id": "customers"},
    ),
)
