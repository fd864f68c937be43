"""What is to be told of mailboxes (database `kamailio`): outboxes, written with what they tell of."""

from sqlalchemy import Column, DateTime, Index, Table

from ngcp.provisioning.tables.columns import TABLE_OPTIONS, primary_key, unsigned, uuid
from ngcp.provisioning.tables.kamailio import metadata

#: Mailboxes whose telephones do not know yet what waits.
voicemail_notices = Table(
    "voicemail_notices",
    metadata,
    Column("mailbox", uuid(), primary_key=True),
    **TABLE_OPTIONS,
)

#: Letters that no mail server has taken yet.
voicemail_mails = Table(
    "voicemail_mails",
    metadata,
    primary_key(),
    Column("mailbox", uuid(), nullable=False),
    Column("message", unsigned(), nullable=False),
    Column("created", DateTime, nullable=False),
    Column("attempts", unsigned(), nullable=False, server_default="0"),
    Column("next_attempt", DateTime, nullable=False),
    Index("next_idx", "next_attempt"),
    **TABLE_OPTIONS,
)
