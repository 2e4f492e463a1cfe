"""A cluster from its start to its end: what each verb of `python -m cluster` does."""
