"""The modules of the workshop, for the overview and for the names on the command line."""

from __future__ import annotations

from validator.engine import EXERCISES, Exercise

MODULES = {
    0: ("intro", "Introduction"),
    1: ("docker", "Docker"),
    2: ("kubernetes", "Kubernetes"),
    3: ("gpus", "GPUs"),
    4: ("helm", "Helm"),
    5: ("tfjob", "TfJob"),
    6: ("distributed-tensorflow", "Distributed TensorFlow"),
    7: ("hyper-param-sweeping", "Hyper-parameter sweeping"),
    8: ("jupyter", "Jupyter"),
    9: ("going-further", "Going further"),
}


def exercises_of(module: int) -> list[Exercise]:
    """The exercises of a module that have checks, in order."""
    return [EXERCISES[n] for n in sorted(EXERCISES) if EXERCISES[n].module == module]


def modules_with_exercises() -> list[int]:
    """The modules that can be checked."""
    return sorted({exercise.module for exercise in EXERCISES.values()})
