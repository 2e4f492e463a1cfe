"""A class: many learners' snapshots as one table. ``room`` gathers them, the others show it."""
