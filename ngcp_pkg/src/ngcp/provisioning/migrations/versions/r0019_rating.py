"""Rating: off-peak times, balances, limits; amounts are decimals; profiles `default` have a free fee."""

from typing import Final

from alembic import op

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0019"
down_revision: Final = "r0018"

_EXACT: Final = "COLLATE utf8mb4_nopad_bin NOT NULL"
_CASH: Final = "DECIMAL(20, 6) NOT NULL DEFAULT '0'"
_TIME: Final = "INT NOT NULL DEFAULT '0'"

CHANGES: Final = (
    """
    ALTER TABLE billing.billing_profiles
        MODIFY COLUMN interval_charge DECIMAL(14, 6) NOT NULL DEFAULT '0',
        MODIFY COLUMN interval_free_cash DECIMAL(14, 6) NOT NULL DEFAULT '0',
        ADD COLUMN IF NOT EXISTS revision INT UNSIGNED NOT NULL DEFAULT '0'
    """,
)
TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS billing.billing_peaktime_weekdays (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        billing_profile_id INT UNSIGNED NOT NULL,
        weekday TINYINT UNSIGNED NOT NULL,
        start TIME,
        end TIME,
        PRIMARY KEY (id),
        CONSTRAINT b_p_w_profile_ref FOREIGN KEY(billing_profile_id)
            REFERENCES billing.billing_profiles (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.billing_peaktime_special (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        billing_profile_id INT UNSIGNED NOT NULL,
        start DATETIME NOT NULL,
        end DATETIME NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT b_p_s_profile_ref FOREIGN KEY(billing_profile_id)
            REFERENCES billing.billing_profiles (id) ON DELETE CASCADE
    )
    """,
    f"""
    CREATE TABLE IF NOT EXISTS billing.contract_balances (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        cash_balance {_CASH},
        cash_balance_interval {_CASH},
        free_time_balance {_TIME},
        free_time_balance_interval {_TIME},
        initial_cash_balance {_CASH},
        initial_free_time_balance {_TIME},
        granted_cash {_CASH},
        granted_free_time {_TIME},
        start DATETIME NOT NULL,
        end DATETIME NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT balance_interval UNIQUE (contract_id, start, end),
        CONSTRAINT c_b_contract_ref FOREIGN KEY(contract_id)
            REFERENCES billing.contracts (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.contract_fraud_preferences (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        fraud_interval_limit INT UNSIGNED,
        fraud_interval_lock TINYINT UNSIGNED,
        fraud_interval_notify VARCHAR(255),
        fraud_daily_limit INT UNSIGNED,
        fraud_daily_lock TINYINT UNSIGNED,
        fraud_daily_notify VARCHAR(255),
        PRIMARY KEY (id),
        CONSTRAINT contract_id UNIQUE (contract_id),
        CONSTRAINT c_f_p_contract_ref FOREIGN KEY(contract_id)
            REFERENCES billing.contracts (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.contract_fraud_locks (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        subscriber_id INT UNSIGNED NOT NULL,
        period ENUM('month','day') NOT NULL,
        lock_level TINYINT UNSIGNED NOT NULL,
        previous_level TINYINT UNSIGNED,
        until DATETIME NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT c_f_l_subscriber_idx UNIQUE (subscriber_id, period),
        INDEX c_f_l_until_idx (until),
        CONSTRAINT c_f_l_contract_ref FOREIGN KEY(contract_id)
            REFERENCES billing.contracts (id) ON DELETE CASCADE,
        CONSTRAINT c_f_l_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES billing.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    f"""
    CREATE TABLE IF NOT EXISTS accounting.cdr_period_costs (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        period ENUM('month','day') NOT NULL,
        period_date DATE NOT NULL,
        direction ENUM('out','in') NOT NULL,
        customer_cost {_CASH},
        reseller_cost {_CASH},
        cdr_count INT UNSIGNED NOT NULL DEFAULT '0',
        fraud_limit_exceeded TINYINT(1) NOT NULL DEFAULT '0',
        fraud_limit_type ENUM('contract','billing_profile'),
        first_cdr_start_time DECIMAL(13, 3) NOT NULL,
        last_cdr_start_time DECIMAL(13, 3) NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT cpc_idx UNIQUE (contract_id, period, period_date, direction)
    )
    """,
    f"""
    CREATE TABLE IF NOT EXISTS accounting.fraud_events (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        period ENUM('month','day') NOT NULL,
        period_date DATE NOT NULL,
        cost {_CASH},
        fraud_limit INT UNSIGNED NOT NULL,
        fraud_lock TINYINT UNSIGNED,
        notify VARCHAR(255) NOT NULL DEFAULT '',
        create_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        notified_at DATETIME,
        PRIMARY KEY (id),
        CONSTRAINT fe_idx UNIQUE (contract_id, period, period_date),
        INDEX fe_notified_idx (notified_at)
    )
    """,
    f"""
    CREATE TABLE IF NOT EXISTS accounting.prepaid_costs (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        call_id VARCHAR(255) {_EXACT},
        cost {_CASH},
        free_time_used {_TIME},
        timestamp DATETIME NOT NULL,
        PRIMARY KEY (id),
        INDEX pc_contract_idx (contract_id, timestamp),
        INDEX pc_timestamp_idx (timestamp)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS accounting.cdr_rating_failures (
        cdr_id BIGINT UNSIGNED NOT NULL,
        reason VARCHAR(255) NOT NULL,
        failed_at DATETIME NOT NULL,
        PRIMARY KEY (cdr_id)
    )
    """,
)

#: Calls cost nothing where no operator has said yet what they do.
FREE: Final = (
    """
    INSERT INTO billing.billing_zones (billing_profile_id, zone, detail)
    SELECT p.id, 'Free Default Zone', 'All Destinations' FROM billing.billing_profiles p
    WHERE p.handle = 'default'
     AND NOT EXISTS (SELECT 1 FROM billing.billing_fees f WHERE f.billing_profile_id = p.id)
     AND NOT EXISTS (SELECT 1 FROM billing.billing_zones z WHERE z.billing_profile_id = p.id)
    """,
    """
    INSERT INTO billing.billing_fees (billing_profile_id, billing_zone_id, destination)
    SELECT p.id, MIN(z.id), '.' FROM billing.billing_profiles p
    JOIN billing.billing_zones z ON z.billing_profile_id = p.id
    WHERE p.handle = 'default'
     AND NOT EXISTS (SELECT 1 FROM billing.billing_fees f WHERE f.billing_profile_id = p.id)
    GROUP BY p.id
    """,
)


def upgrade() -> None:
    """Add what is missing."""
    for statement in CHANGES:
        op.execute(statement)
    create_tables(TABLES)
    for statement in FREE:
        op.execute(statement)
