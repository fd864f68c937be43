"""One node that is a whole SIP provider; `docs/architecture.md` says how the rooms fit together."""
