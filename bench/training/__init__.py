"""How long the sample image's program takes, for what, and how good it gets."""
