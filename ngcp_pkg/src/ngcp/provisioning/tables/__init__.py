"""The tables by their names on the platform, one module a database."""
