"""The SIP core, sans-IO: bytes and `now` come in, values go out (RFC 3261).

The rooms follow the RFC's own structure, each importing only those before it:
syntax (§7, §25) → transport (§18) → transaction (§17) → dialog (§12) → core (§8, §10, §16, §22).
"""
