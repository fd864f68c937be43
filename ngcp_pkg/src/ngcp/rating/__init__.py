"""What calls cost: fees, off-peak times and balances in, amounts out; nothing is read, stored or timed here.

Amounts are exact decimals in hundredths of the currency's unit (cents); instants are Unix time. A call is
paid by intervals: each begun one counts, at the rate of the moment at which it begins.
"""
