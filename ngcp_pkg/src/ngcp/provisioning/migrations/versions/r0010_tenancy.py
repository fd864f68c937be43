"""Administrators' rights and certificates; billing profiles whole, with zones and fees."""

from typing import Final

from alembic import op

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0010"
down_revision: Final = "r0009"

CHANGES: Final = (
    """
    ALTER TABLE billing.admins
        ADD COLUMN IF NOT EXISTS is_master TINYINT(1) NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS call_data TINYINT(1) NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS billing_data TINYINT(1) NOT NULL DEFAULT '1',
        ADD COLUMN IF NOT EXISTS ssl_client_m_serial BIGINT UNSIGNED,
        ADD COLUMN IF NOT EXISTS ssl_client_certificate TEXT,
        ADD CONSTRAINT a_serial_idx UNIQUE IF NOT EXISTS (ssl_client_m_serial)
    """,
    "UPDATE billing.admins SET is_master = 1 WHERE login = 'administrator'",
    """
    ALTER TABLE billing.billing_profiles
        ADD COLUMN IF NOT EXISTS prepaid TINYINT(1) NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS interval_charge DOUBLE NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS interval_free_time INT NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS interval_free_cash DOUBLE NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS interval_unit ENUM('week', 'month') NOT NULL DEFAULT 'month',
        ADD COLUMN IF NOT EXISTS interval_count TINYINT UNSIGNED NOT NULL DEFAULT '1',
        ADD COLUMN IF NOT EXISTS fraud_use_reseller_rates TINYINT(1) NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS fraud_interval_limit INT UNSIGNED,
        ADD COLUMN IF NOT EXISTS fraud_interval_lock TINYINT UNSIGNED,
        ADD COLUMN IF NOT EXISTS fraud_interval_notify VARCHAR(255),
        ADD COLUMN IF NOT EXISTS fraud_daily_limit INT UNSIGNED,
        ADD COLUMN IF NOT EXISTS fraud_daily_lock TINYINT UNSIGNED,
        ADD COLUMN IF NOT EXISTS fraud_daily_notify VARCHAR(255)
    """,
)

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS billing.billing_zones (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        billing_profile_id INT UNSIGNED NOT NULL,
        zone VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        detail VARCHAR(127) COLLATE utf8mb4_nopad_bin,
        PRIMARY KEY (id),
        CONSTRAINT profnamdes_idx UNIQUE (billing_profile_id, zone, detail),
        CONSTRAINT b_z_profile_ref FOREIGN KEY (billing_profile_id)
            REFERENCES billing.billing_profiles (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.billing_fees (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        billing_profile_id INT UNSIGNED NOT NULL,
        billing_zone_id INT UNSIGNED,
        source VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '.',
        destination VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        direction ENUM('in', 'out') NOT NULL DEFAULT 'out',
        match_mode ENUM('regex_longest_pattern', 'regex_longest_match', 'prefix', 'exact_destination')
            NOT NULL DEFAULT 'regex_longest_pattern',
        onpeak_init_rate DECIMAL(14, 6) NOT NULL DEFAULT '0',
        onpeak_init_interval INT UNSIGNED NOT NULL DEFAULT '60',
        onpeak_follow_rate DECIMAL(14, 6) NOT NULL DEFAULT '0',
        onpeak_follow_interval INT UNSIGNED NOT NULL DEFAULT '60',
        offpeak_init_rate DECIMAL(14, 6) NOT NULL DEFAULT '0',
        offpeak_init_interval INT UNSIGNED NOT NULL DEFAULT '60',
        offpeak_follow_rate DECIMAL(14, 6) NOT NULL DEFAULT '0',
        offpeak_follow_interval INT UNSIGNED NOT NULL DEFAULT '60',
        use_free_time TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT profsrcdes_idx UNIQUE (billing_profile_id, source, destination, direction),
        CONSTRAINT b_f_profile_ref FOREIGN KEY (billing_profile_id)
            REFERENCES billing.billing_profiles (id) ON DELETE CASCADE,
        CONSTRAINT b_f_zone_ref FOREIGN KEY (billing_zone_id) REFERENCES billing.billing_zones (id)
    )
    """,
)


def upgrade() -> None:
    """Add what is missing."""
    for statement in CHANGES:
        op.execute(statement)
    create_tables(TABLES)
