"""What SIP elements do with transactions: the proxy (RFC 3261 §16), the registrar (§10), digest (§22)."""
