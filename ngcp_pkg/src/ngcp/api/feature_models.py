"""What clients may write of call features: forwards and their sets, speed dials, places, trusted sources."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ngcp.api.models import Body, Id, Pattern, Printable, SipUri, as_address, none_if_empty

#: Members of one set, forwards of one kind: more would slow each call down.
MOST: Final = 500


Text: TypeAlias = Annotated[Printable, Field(min_length=1, max_length=255)]
Mode: TypeAlias = Literal["whitelist", "blacklist"]
IpAddress: TypeAlias = Annotated[str, Field(max_length=50), AfterValidator(as_address)]


class Member(BaseModel):
    """A part of an entity; what only we write of it is passed over, empty texts are none."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _pass_over_what_we_write(cls, data: Any) -> Any:  # noqa: ANN401 - any JSON
        if not isinstance(data, dict):
            return data
        return {name: none_if_empty(value) for name, value in data.items() if name != "simple_destination"}


class Destination(Member):
    """Where calls go: a number, a SIP URI, or the word for a service of the platform."""

    destination: Text
    timeout: Annotated[int, Field(ge=1, le=86400)] = 300
    priority: Annotated[int, Field(ge=0, lt=2**31)] = 1
    announcement_id: Id | None = None


class Time(Member):
    """A period: each part is a number or a range `a-b`; a part that is absent does not matter."""

    year: str | None = None
    month: str | None = None
    mday: str | None = None
    wday: str | None = None
    hour: str | None = None
    minute: str | None = None


class Source(Member):
    """A caller's number, or a pattern of such."""

    source: Text


class Bnumber(Member):
    """A number that was called, or a pattern of such."""

    bnumber: Text


Destinations: TypeAlias = Annotated[tuple[Destination, ...], Field(max_length=MOST)]
Times: TypeAlias = Annotated[tuple[Time, ...], Field(max_length=MOST)]
Sources: TypeAlias = Annotated[tuple[Source, ...], Field(max_length=MOST)]
Bnumbers: TypeAlias = Annotated[tuple[Bnumber, ...], Field(max_length=MOST)]


class _Set(Body):
    """A set that mappings know by its name."""

    subscriber_id: Id
    name: Text


class DestinationSet(_Set):
    """Where calls are forwarded, by priority."""

    destinations: Destinations = ()


class TimeSet(_Set):
    """When calls are forwarded: in any of these periods."""

    times: Times = ()


class SourceSet(_Set):
    """Whose calls are forwarded; `anonymous` stands for who hides his number."""

    mode: Mode = "whitelist"
    is_regex: bool = False
    sources: Sources = ()


class BnumberSet(_Set):
    """Calls for which numbers are forwarded."""

    mode: Mode = "whitelist"
    is_regex: bool = False
    bnumbers: Bnumbers = ()


class Mapping(Member):
    """Where calls of a kind go, and which; each set by its number or its name."""

    destinationset: Text | None = None
    destinationset_id: Id | None = None
    timeset: Text | None = None
    timeset_id: Id | None = None
    sourceset: Text | None = None
    sourceset_id: Id | None = None
    bnumberset: Text | None = None
    bnumberset_id: Id | None = None
    enabled: bool = True
    use_redirection: bool = False


Mappings: TypeAlias = Annotated[tuple[Mapping, ...], Field(max_length=MOST)]
RingTimeout: TypeAlias = Annotated[int, Field(ge=1, le=3600)]


class _OfSubscriber(Body):
    """What a subscriber has one of."""

    unwritable = frozenset({"subscriber_id"})


class CallForwardMappings(_OfSubscriber):
    """All mappings; `cft_ringtimeout` is how many seconds calls ring before cft takes them."""

    cfu: Mappings = ()
    cfb: Mappings = ()
    cft: Mappings = ()
    cfna: Mappings = ()
    cfs: Mappings = ()
    cfr: Mappings = ()
    cfo: Mappings = ()
    cft_ringtimeout: RingTimeout | None = None


class CallForward(Member):
    """A forward in one piece; without destinations there is none."""

    destinations: Destinations = ()
    times: Times = ()
    sources: Sources = ()
    sources_mode: Mode = "whitelist"
    sources_is_regex: bool = False
    bnumbers: Bnumbers = ()
    bnumbers_mode: Mode = "whitelist"
    bnumbers_is_regex: bool = False
    enabled: bool = True
    use_redirection: bool = False


class TimedCallForward(CallForward):
    """A forward of calls that ring for `ringtimeout` seconds."""

    ringtimeout: RingTimeout | None = None


class CallForwards(_OfSubscriber):
    """A subscriber's forwards: unconditional, busy, timeout, not available, SMS, response, overflow."""

    cfu: CallForward = CallForward()
    cfb: CallForward = CallForward()
    cft: TimedCallForward = TimedCallForward()
    cfna: CallForward = CallForward()
    cfs: CallForward = CallForward()
    cfr: CallForward = CallForward()
    cfo: CallForward = CallForward()


class SpeedDial(Member):
    """A slot, and what is called by it."""

    slot: Annotated[str, Field(max_length=64)]
    destination: Text


class SpeedDials(_OfSubscriber):
    """The slots that a subscriber has filled."""

    speeddials: Annotated[tuple[SpeedDial, ...], Field(max_length=MOST)] = ()


class Reminder(Body):
    """A wake-up call at `time`, HH:MM or HH:MM:SS in the subscriber's time zone."""

    subscriber_id: Id
    time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
    recur: Literal["never", "weekdays", "always"] = "never"
    active: bool = True


class TrustedSource(Body):
    """An address whose calls are a subscriber's; `from_pattern` is a regular expression over From URIs."""

    subscriber_id: Id
    src_ip: IpAddress
    protocol: Literal["UDP", "TCP", "TLS", "ANY"] = "ANY"
    from_pattern: Annotated[Pattern, Field(max_length=64)] | None = None


class LocationMapping(Body):
    """A place to call; the patterns, regular expressions over numbers, say for which calls."""

    subscriber_id: Id
    location: Annotated[SipUri, Field(max_length=255)]
    caller_pattern: Pattern | None = None
    callee_pattern: Pattern | None = None
    mode: Literal["add", "replace", "offline", "forward"] = "replace"
    to_username: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.!~*'()+-]{1,127}$")] | None = None
    external_id: Text | None = None
    enabled: bool = True
