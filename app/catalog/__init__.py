"""Products, variants and stock of a merchant, and the feeds they are brought in from."""
