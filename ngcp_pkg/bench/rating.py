"""Rating: what a call costs us until it has its price, from the table of call records back into it.

Many customers of one reseller, out by one carrier: three payers a call, each with a thousand fees. The
mediator has half a millisecond a call in all (2,000 a second on one core).
"""

import asyncio
import getpass
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Final

from bench.mariadb import Database, serving
from bench.report import Metric, publish
from ngcp.provisioning.engine import connect
from ngcp.provisioning.rating.rater import Rater
from ngcp.rating.balance import Account, Balance
from ngcp.rating.charge import Talk, charge
from ngcp.rating.fees import Fee, FeeTable, Rate, Tariff
from ngcp.rating.intervals import Span
from ngcp.rating.peaks import DAY, Peaks, Weekly

ROUNDS: Final = 6
CALLS: Final = 5_000
CUSTOMERS: Final = 500
FEES: Final = 1_000
#: Microseconds.
BOUND: Final = 300.0
ENGINE_BOUND: Final = 50.0
_START: Final = 1_795_723_200

_PROFILES: Final = (
    "UPDATE billing.contacts SET timezone = 'Europe/Vienna'",
    "INSERT INTO billing.billing_fees (billing_profile_id, destination, onpeak_init_rate, onpeak_follow_rate,"
    " onpeak_follow_interval) SELECT 1, CONCAT('^43', seq), 0.5, 0.25, 1"
    f" FROM kamailio.seq_1000_to_{999 + FEES}",
    "INSERT INTO billing.billing_peaktime_weekdays (billing_profile_id, weekday, start, end)"
    " SELECT 1, seq, '18:00:00', '23:59:59' FROM kamailio.seq_0_to_6",
    "INSERT INTO billing.contracts (id, contact_id, product_id, status) SELECT 1000 + seq, 1,"
    " (SELECT id FROM billing.products WHERE handle = 'SIP_ACCOUNT'), 'active'"
    f" FROM kamailio.seq_0_to_{CUSTOMERS}",
    "INSERT INTO billing.billing_mappings (billing_profile_id, contract_id)"
    f" SELECT 1, 1000 + seq FROM kamailio.seq_0_to_{CUSTOMERS}",
)
_RECORDS: Final = (
    "INSERT INTO accounting.cdr (source_user_id, source_provider_id, source_account_id, source_user,"
    " source_domain, source_cli, destination_user_id, destination_provider_id, destination_account_id,"
    " destination_user, destination_domain, destination_user_dialed, destination_user_in,"
    " destination_domain_in, call_status, call_code, init_time, start_time, duration, call_id)"
    " SELECT UUID(), 1, 1001 + seq MOD {customers}, 'alice', 'example.org', '431001', '0', 1000, 0,"
    " 'x', 'gw', 'x', CONCAT('43', 1000 + seq MOD {fees}, '123'), 'gw', 'ok', '200', 0, {start} + seq,"
    " 30 + seq MOD 600, CONCAT('call', seq, '-', {round}) FROM kamailio.seq_1_to_{calls}"
)


def main() -> int:
    """Measure, and return 1 if a bound is not kept."""
    with tempfile.TemporaryDirectory(prefix="ngcp-bench-") as directory, serving(Path(directory)) as database:
        database.run(*_PROFILES)
        runs = [asyncio.run(_rate(database, number)) for number in range(ROUNDS)][1:]
    cpu, passed = ([run[part] for run in runs] for part in (0, 1))
    engine = [_engine() for _ in range(ROUNDS)][1:]
    metrics = [
        Metric.within("cpu-us-per-call", cpu, BOUND),
        Metric("us-per-call-with-mariadb", tuple((one, 2 * BOUND) for one in passed)),
        Metric.within("engine-us-per-payer", engine, ENGINE_BOUND),
    ]
    return publish("rating", metrics, "bound")


async def _rate(database: Database, number: int) -> Sequence[float]:
    """Rate new records; return the microseconds a call of this process, and as they pass."""
    start = _START + number * CALLS
    names = {"customers": CUSTOMERS, "fees": FEES, "start": start, "round": number, "calls": CALLS}
    database.run(_RECORDS.format(**names))
    engine = connect(str(database.socket), getpass.getuser(), 60.0)
    rater = Rater(engine)
    await rater.work(_START)  # the first pass reads the profiles
    begun, used, rated = time.perf_counter(), time.process_time(), 0
    while done := (await rater.work(_START)).rated:
        rated += done
    passed, spent = time.perf_counter() - begun, time.process_time() - used
    await engine.dispose()
    return spent / rated * 1e6, passed / rated * 1e6


def _engine() -> float:
    """Return the microseconds that it takes to find a fee and charge one payer."""
    part = Tariff(Rate(Decimal("0.5"), 60), Rate(Decimal("0.25"), 1))
    table = FeeTable(
        Fee(number, None, "out", ".", f"^43{number}", part, part) for number in range(1000, 1000 + FEES)
    )
    peaks = Peaks(UTC, [Weekly(day, 64_800, DAY) for day in range(7)])
    account = Account([Balance(Span(0, 2**40), cash=Decimal(100))])
    begun = time.process_time()
    for number in range(CALLS):
        fee = table.find("out", "431001", f"43{1000 + number % FEES}123")
        assert fee is not None, "every destination has a fee"
        charge(fee, peaks, Talk((_START + number) * 1000, 30_000 + number * 100), account)
    return (time.process_time() - begun) / CALLS * 1e6
