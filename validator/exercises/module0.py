"""Module 0: nothing is made; the lab is there, and says what it can do."""

from validator.checks import (
    capabilities,
    default_storage,
    has_sample_image,
    names_are_found,
    nodes_ready,
    version,
)
from validator.engine import exercise
from validator.subjects import Lab

exercise(
    "0.1",
    "The lab is ready",
    page="0-intro#exercise-1",
    subject=Lab("the lab"),
    says=capabilities,
    checks=[
        version(),
        nodes_ready(),
        names_are_found(),
        default_storage(),
        has_sample_image(),
    ],
)
