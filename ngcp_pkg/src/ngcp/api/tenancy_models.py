"""What clients may write of tenancy: resellers, administrators, billing."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ngcp.api.models import Body, Email, Id, Pattern, Printable, Text127, Text255, UserName, WebPassword

Times = TypeVar("Times")


def _wall_time(text: str) -> str:
    return f"{datetime.strptime(text, '%Y-%m-%d %H:%M:%S'):%Y-%m-%d %H:%M:%S}"


SomePattern: TypeAlias = Annotated[Pattern, Field(min_length=1)]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**31)]
Amount: TypeAlias = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]
Rate: TypeAlias = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]
Interval: TypeAlias = Annotated[int, Field(ge=1, lt=2**31)]
Lock: TypeAlias = Annotated[int, Field(ge=0, le=4)]
Clock: TypeAlias = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$")]
WallTime: TypeAlias = Annotated[str, AfterValidator(_wall_time)]
Name: TypeAlias = Annotated[Printable, Field(min_length=1, max_length=63)]


class Reseller(Body):
    """A reseller, under a contract of type `reseller`."""

    contract_id: Id
    name: Name
    status: Literal["active", "locked", "terminated"] = "active"


class Administrator(Body):
    """Who may use this API; `password` is never shown, and stays if not given."""

    login: Annotated[UserName, Field(max_length=31)]
    password: WebPassword | None = None
    reseller_id: Id | None = None
    role: Literal["system", "admin", "reseller", "ccareadmin", "ccare", "lintercept"] = "reseller"
    email: Email | None = None
    is_master: bool = False
    is_active: bool = True
    read_only: bool = False
    show_passwords: bool = True
    call_data: bool = False
    billing_data: bool = True


class OffPeakWeekday(BaseModel):
    """An off-peak time of a weekday, 0 is Monday; without start and stop the whole day."""

    model_config = ConfigDict(extra="forbid")

    weekday: Annotated[int, Field(ge=0, le=6)]
    start: Clock | None = None
    stop: Clock | None = None
    """The last second of it."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        return _ordered(self, self.start or "00:00:00", self.stop or "23:59:59")


class OffPeakDate(BaseModel):
    """An off-peak time once, by the clock on the wall."""

    model_config = ConfigDict(extra="forbid")

    start: WallTime
    stop: WallTime

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        return _ordered(self, self.start, self.stop)


def _ordered(times: Times, start: str, stop: str) -> Times:
    if start > stop:
        raise ValueError("stop is before start")
    return times


class BillingProfile(Body):
    """How customers are charged: per interval, and by fees; amounts in hundredths of the currency's unit."""

    reseller_id: Id | None = None
    handle: Name
    name: Annotated[Printable, Field(min_length=1, max_length=31)]
    currency: Annotated[Printable, Field(max_length=31)] | None = None
    status: Literal["active", "terminated"] = "active"
    prepaid: bool = False
    interval_charge: Amount = Decimal(0)
    interval_free_time: Count = 0
    interval_free_cash: Amount = Decimal(0)
    interval_unit: Literal["week", "month"] = "month"
    interval_count: Annotated[int, Field(ge=1, le=255)] = 1
    fraud_use_reseller_rates: bool = False
    fraud_interval_limit: Count | None = None
    fraud_interval_lock: Lock | None = None
    fraud_interval_notify: Text255 | None = None
    fraud_daily_limit: Count | None = None
    fraud_daily_lock: Lock | None = None
    fraud_daily_notify: Text255 | None = None
    peaktime_weekdays: Annotated[tuple[OffPeakWeekday, ...], Field(max_length=100)] = ()
    peaktime_special: Annotated[tuple[OffPeakDate, ...], Field(max_length=1000)] = ()


class BillingZone(Body):
    """A name for destinations of one price."""

    billing_profile_id: Id
    zone: Annotated[Printable, Field(min_length=1, max_length=127)]
    detail: Text127 | None = None


class BillingFee(Body):
    """What a call from a source to a destination costs: rates per second, in hundredths of the currency."""

    billing_profile_id: Id
    billing_zone_id: Id | None = None
    source: SomePattern = "."
    destination: SomePattern
    direction: Literal["in", "out"] = "out"
    match_mode: Literal["regex_longest_pattern", "regex_longest_match", "prefix", "exact_destination"] = (
        "regex_longest_pattern"
    )
    onpeak_init_rate: Rate = Decimal(0)
    onpeak_init_interval: Interval = 60
    onpeak_follow_rate: Rate = Decimal(0)
    onpeak_follow_interval: Interval = 60
    offpeak_init_rate: Rate = Decimal(0)
    offpeak_init_interval: Interval = 60
    offpeak_follow_rate: Rate = Decimal(0)
    offpeak_follow_interval: Interval = 60
    use_free_time: bool = False


class CustomerBalance(Body):
    """What a customer has left in the billing interval of now, in the currency's unit, and in seconds."""

    unwritable = frozenset({"customer_id", "cash_debit", "free_time_spent", "start", "stop"})

    cash_balance: Annotated[Decimal, Field(gt=-(10**12), lt=10**12, decimal_places=8)]
    free_time_balance: Count


class FraudLimits(Body):
    """A customer's own limits, in hundredths of the currency's unit, instead of his billing profile's."""

    unwritable = frozenset({"customer_id"})

    fraud_interval_limit: Count | None = None
    fraud_interval_lock: Lock | None = None
    fraud_interval_notify: Text255 | None = None
    fraud_daily_limit: Count | None = None
    fraud_daily_lock: Lock | None = None
    fraud_daily_notify: Text255 | None = None


class NumberOwner(Body):
    """Whose a number is: all that can be changed of it."""

    unwritable = frozenset({"cc", "ac", "sn", "is_primary"})

    subscriber_id: Id
