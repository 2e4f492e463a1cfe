"""The exercises: one file for each module, data alone.

Importing this package registers all of them with the engine.
"""

from validator.exercises import (
    module0,
    module1,
    module2,
    module3,
    module4,
    module5,
    module6,
    module7,
    module8,
    module9,
)

__all__ = [
    "module0",
    "module1",
    "module2",
    "module3",
    "module4",
    "module5",
    "module6",
    "module7",
    "module8",
    "module9",
]
