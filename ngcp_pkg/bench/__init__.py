"""Side-by-side measurements against the programs whose place we take; `make bench NAME=lb`."""
