"""What a CDR has is what its table has."""

from decimal import Decimal

from ngcp.provisioning import cdr
from ngcp.provisioning.tables import accounting

#: What nobody brings, and what the export fills.
OF_OTHERS = {"id", "exported_at", "export_status"}
#: What rating fills.
OF_RATING = {
    *(
        f"{side}_{payer}_{what}"
        for side in ("source", "destination")
        for payer in ("carrier", "reseller", "customer")
        for what in ("cost", "free_time", "billing_fee_id", "billing_zone_id")
    ),
    *("frag_carrier_onpeak", "frag_reseller_onpeak", "frag_customer_onpeak"),
    *("is_fragmented", "split", "rated_at", "rating_status"),
}
CALL = cdr.Cdr(
    cdr.Party(user_id="u", account_id=1, gpp=tuple("abcdefghij")),
    cdr.Party(user="bob"),
    source_cli="4311001",
    source_clir=False,
    source_ip="192.0.2.1",
    destination_user_dialed="4311002",
    destination_user_in="4311002",
    destination_domain_in="example.org",
    peer_auth_user="",
    peer_auth_realm="",
    call_type="call",
    call_status="ok",
    call_code="200",
    init_time=Decimal("1795723190.500"),
    start_time=Decimal("1795723200.123"),
    duration=Decimal("59.877"),
    call_id="c1",
    branch_id="0",
)


def test_columns_are_those_of_the_table() -> None:
    columns = [*cdr.CDR_COLUMNS, *OF_RATING]
    assert len(columns) == len(set(columns))
    assert {*columns} | OF_OTHERS == {column.name for column in accounting.cdr.columns}


def test_values_are_in_the_order_of_their_columns() -> None:
    row = dict(zip(cdr.CDR_COLUMNS, cdr.values_of(CALL), strict=True))
    assert row["source_user_id"] == "u"
    assert row["source_gpp9"] == "j"
    assert row["destination_user"] == "bob"
    assert row["duration"] == Decimal("59.877")
