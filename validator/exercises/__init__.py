"""The exercises: one file for each module, data alone.

Importing this package registers all of them with the engine.
"""

from validator.exercises import module3, module4, module5, module6

__all__ = ["module3", "module4", "module5", "module6"]
