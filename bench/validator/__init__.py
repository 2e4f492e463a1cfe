"""How long one check takes, of what, and what kubectl takes to read the same."""
