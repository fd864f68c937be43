"""Rating in the databases: who is charged by what, what is unrated, and what calls leave of balances."""
