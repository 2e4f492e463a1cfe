"""The modules of the workshop, for the overview and for the names on the command line."""

from __future__ import annotations

from typing import NamedTuple

from validator.engine import EXERCISES, Exercise


class Module(NamedTuple):
    """name: of its folder, behind the number. minutes: a learner's, as its page states them."""

    name: str
    title: str
    minutes: int


MODULES = {
    0: Module("intro", "Introduction", 10),
    1: Module("docker", "Docker", 30),
    2: Module("kubernetes", "Kubernetes", 35),
    3: Module("gpus", "GPUs", 35),
    4: Module("helm", "Helm", 35),
    5: Module("tfjob", "TfJob", 40),
    6: Module("distributed-tensorflow", "Distributed TensorFlow", 40),
    7: Module("hyper-param-sweeping", "Hyper-parameter sweeping", 40),
    8: Module("jupyter", "Jupyter", 35),
    9: Module("going-further", "Going further", 40),
}


def exercises_of(module: int) -> list[Exercise]:
    """The exercises of a module that have checks, in order."""
    return [EXERCISES[n] for n in sorted(EXERCISES) if EXERCISES[n].module == module]


def modules_with_exercises() -> list[int]:
    """The modules that can be checked."""
    return sorted({exercise.module for exercise in EXERCISES.values()})
