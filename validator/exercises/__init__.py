"""The exercises: one file per module, each a list of checks over a snapshot.

Importing this package registers all of them with the engine.
"""

from validator.exercises import module5, module6

__all__ = ["module5", "module6"]
