"""A network of its own on one machine, with nodes and phones on it (see README.md beside this file)."""
