"""Call records in, call detail records (CDRs) out: each call once, whatever happens meanwhile."""
