"""What callers and subscribers have spoken, as telephones leave it in the spool."""

from api.conftest import Api
from ngcp.audio.wav import write

#: A second of something.
SPOKEN = write(bytes(range(250)) * 64)
#: What may be written of it.
BODIES: dict[str, dict[str, object]] = {
    "voicemails": {"folder": "Old"},
    "voicemailgreetings": {"subscriber_id": 1, "dir": "busy"},
}
CALLER = '"Bob" <4312002>'
TIME = 1_700_000_000


def spoken(api: Api, subscriber: int, kind: str, *, wav: bytes = SPOKEN, time: int = TIME) -> int:
    """Put something into a folder, or among the greetings, of a subscriber; return its number."""
    uuid = uuid_of(api, subscriber)
    directory = f"/var/spool/asterisk/voicemail/default/{uuid}/{kind}"
    ((number,),) = api.database.run(
        "INSERT INTO kamailio.voicemail_spool"
        " (dir, mailboxuser, callerid, origtime, duration, recording, call_id) VALUES"
        f" ('{directory}', '{uuid}', '{CALLER}', {time}, 7, x'{wav.hex()}', 'call-1') RETURNING id"
    )
    assert isinstance(number, int)
    return number


def uuid_of(api: Api, subscriber: int) -> str:
    """Return what a subscriber's mailbox is named."""
    ((uuid,),) = api.database.run(f"SELECT uuid FROM billing.voip_subscribers WHERE id = {subscriber}")
    return str(uuid)
