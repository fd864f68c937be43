"""Call records: those that wait for the mediator, those it is done with, and what it could not use."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0007"
down_revision: Final = "r0006"

_COLUMNS: Final = """
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        method VARCHAR(16) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        from_tag VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        to_tag VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        callid VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        sip_code VARCHAR(3) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        sip_reason VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        `time` DATETIME NOT NULL,
        time_hires DECIMAL(13, 3) NOT NULL,
        src_leg TEXT,
        dst_leg TEXT,
        dst_user VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        dst_ouser VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        dst_domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        src_user VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        src_domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        branch_id VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        PRIMARY KEY (id),
"""
_INDEX: Final = "INDEX callid_method_idx (callid, method)"
_UNIQUE: Final = "CONSTRAINT record_idx UNIQUE (callid, method, time_hires, branch_id),"

TABLES: Final = (
    f"CREATE TABLE IF NOT EXISTS kamailio.acc ({_COLUMNS} {_UNIQUE} {_INDEX})",
    f"CREATE TABLE IF NOT EXISTS kamailio.acc_backup ({_COLUMNS} {_INDEX})",
    f"CREATE TABLE IF NOT EXISTS kamailio.acc_trash ({_COLUMNS} {_INDEX})",
)


def upgrade() -> None:
    """Make the tables."""
    create_tables(TABLES)
