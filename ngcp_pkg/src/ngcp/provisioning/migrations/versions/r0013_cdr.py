"""CDRs and what is told of them; which record is done, and why one could not be used."""

from typing import Final

from alembic import op

from ngcp.provisioning.migrations import OPTIONS, create_tables

revision: Final = "r0013"
down_revision: Final = "r0012"

_EXACT: Final = "COLLATE utf8mb4_nopad_bin NOT NULL"
_OWNER: Final = f"""
    {{0}}_user_id CHAR(36) {_EXACT},
    {{0}}_provider_id INT UNSIGNED NOT NULL,
    {{0}}_external_subscriber_id VARCHAR(255) {_EXACT} DEFAULT '',
    {{0}}_external_contract_id VARCHAR(255) {_EXACT} DEFAULT '',
    {{0}}_account_id INT UNSIGNED NOT NULL,
    {{0}}_user VARCHAR(255) {_EXACT},
    {{0}}_domain VARCHAR(190) {_EXACT},"""
_EXTRA: Final = (
    "".join(f"{{0}}_gpp{number} VARCHAR(255)," for number in range(10))
    + f"""
    {{0}}_lnp_prefix VARCHAR(64) {_EXACT} DEFAULT '',
    {{0}}_lnp_type VARCHAR(64) {_EXACT} DEFAULT '',
    {{0}}_user_out VARCHAR(255) {_EXACT} DEFAULT '',"""
)
_PRICES: Final = "".join(
    f"""
    {side}_{payer}_cost DECIMAL(14, 6),
    {side}_{payer}_free_time INT UNSIGNED,
    {side}_{payer}_billing_fee_id INT UNSIGNED,
    {side}_{payer}_billing_zone_id INT UNSIGNED,"""
    for side in ("source", "destination")
    for payer in ("carrier", "reseller", "customer")
)

CDR: Final = f"""
    CREATE TABLE IF NOT EXISTS accounting.cdr (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        {_OWNER.format("source")}
        source_cli VARCHAR(255) {_EXACT},
        source_clir TINYINT(1) NOT NULL DEFAULT '0',
        source_ip VARCHAR(64) {_EXACT} DEFAULT '',
        {_EXTRA.format("source")}
        {_OWNER.format("destination")}
        destination_user_dialed VARCHAR(255) {_EXACT},
        destination_user_in VARCHAR(255) {_EXACT},
        destination_domain_in VARCHAR(190) {_EXACT},
        {_EXTRA.format("destination")}
        peer_auth_user VARCHAR(255) {_EXACT} DEFAULT '',
        peer_auth_realm VARCHAR(255) {_EXACT} DEFAULT '',
        call_type ENUM('call','cfu','cft','cfb','cfna','cfs','cfr','cfo','sms') NOT NULL DEFAULT 'call',
        call_status ENUM('ok','busy','noanswer','cancel','offline','timeout','other','failed') NOT NULL,
        call_code CHAR(3) NOT NULL,
        init_time DECIMAL(13, 3) NOT NULL,
        start_time DECIMAL(13, 3) NOT NULL,
        duration DECIMAL(13, 3) NOT NULL,
        call_id VARCHAR(255) {_EXACT},
        branch_id VARCHAR(128) {_EXACT} DEFAULT '0',
        closed_by ENUM('dialog','session','maximum'),
        {_PRICES}
        frag_carrier_onpeak TINYINT(1),
        frag_reseller_onpeak TINYINT(1),
        frag_customer_onpeak TINYINT(1),
        is_fragmented TINYINT(1) NOT NULL DEFAULT '0',
        split TINYINT(1) NOT NULL DEFAULT '0',
        rated_at DATETIME,
        rating_status ENUM('unrated','ok','failed') NOT NULL DEFAULT 'unrated',
        exported_at DATETIME,
        export_status ENUM('unexported','ok','failed') NOT NULL DEFAULT 'unexported',
        PRIMARY KEY (id, start_time),
        CONSTRAINT leg_idx UNIQUE (call_id, branch_id, start_time),
        INDEX suid_start_idx (source_user_id, start_time),
        INDEX duid_start_idx (destination_user_id, start_time),
        INDEX said_start_idx (source_account_id, start_time),
        INDEX daid_start_idx (destination_account_id, start_time),
        INDEX start_idx (start_time),
        INDEX rating_idx (rating_status, id),
        INDEX export_idx (export_status, id)
    ) {OPTIONS}
    PARTITION BY RANGE (FLOOR(start_time)) (PARTITION pmax VALUES LESS THAN MAXVALUE)
"""

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS accounting.cdr_mos_data (
        cdr_id BIGINT UNSIGNED NOT NULL,
        cdr_start_time DECIMAL(13, 3) NOT NULL,
        mos_average DECIMAL(7, 2) NOT NULL,
        mos_average_packetloss DECIMAL(7, 2) NOT NULL,
        mos_average_jitter DECIMAL(7, 2) NOT NULL,
        mos_average_roundtrip DECIMAL(7, 2) NOT NULL,
        PRIMARY KEY (cdr_id, cdr_start_time)
    )
    """,
    f"""
    CREATE TABLE IF NOT EXISTS accounting.cdr_export_status (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        type VARCHAR(64) {_EXACT},
        PRIMARY KEY (id),
        CONSTRAINT ces_type_idx UNIQUE (type)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS accounting.cdr_export_status_data (
        cdr_id BIGINT UNSIGNED NOT NULL,
        cdr_start_time DECIMAL(13, 3) NOT NULL,
        status_id INT UNSIGNED NOT NULL,
        exported_at DATETIME,
        export_status ENUM('unexported','ok','failed') NOT NULL DEFAULT 'unexported',
        PRIMARY KEY (cdr_id, cdr_start_time, status_id),
        INDEX cesd_status_idx (status_id, export_status)
    )
    """,
    f"""
    CREATE TABLE IF NOT EXISTS accounting.mark (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        collector VARCHAR(255) {_EXACT},
        acc_id BIGINT UNSIGNED NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT mark_collector_idx UNIQUE (collector)
    )
    """,
)

#: Nothing has been written to the two before; the new index serves who asked by the old one.
_ONCE: Final = (
    "ADD UNIQUE INDEX IF NOT EXISTS record_idx (callid, method, time_hires, branch_id),"
    " DROP INDEX IF EXISTS callid_method_idx"
)
CHANGES: Final = (
    "ALTER TABLE kamailio.acc DROP INDEX IF EXISTS callid_method_idx",
    f"ALTER TABLE kamailio.acc_backup {_ONCE}",
    f"ALTER TABLE kamailio.acc_trash {_ONCE},"
    " ADD COLUMN IF NOT EXISTS reason VARCHAR(255) NOT NULL DEFAULT '' AFTER branch_id",
)


def upgrade() -> None:
    """Make the tables, and change those of the records."""
    op.execute(CDR)
    create_tables(TABLES)
    for statement in CHANGES:
        op.execute(statement)
