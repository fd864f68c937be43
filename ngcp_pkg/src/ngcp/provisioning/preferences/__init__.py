"""Preferences: what can be set for subscribers, profiles, customers, domains, resellers and peers."""
