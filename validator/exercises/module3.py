"""Module 3: a GPU by hand as in 2017, a training on one of today, and a card by its memory."""

from validator.checks import (
    cards_not_by_hand,
    claim_template,
    ends_well,
    exists,
    mounts_drivers,
    need_cards,
    need_gpus,
    no_driver_by_hand,
    one_gpu,
    option_is,
    runs_nvidia_smi,
    sample_image,
    selects_memory,
    shows_memory,
    shows_the_table,
    trained,
    uses_the_claim,
)
from validator.engine import exercise
from validator.subjects import Job

LEAST_GIB = 48

exercise(
    "3.1",
    "nvidia-smi on one GPU, by hand",
    page="3-gpus#exercise-1",
    subject=Job("module3-ex1"),
    needs=[need_gpus()],
    solution="exercise-1.yaml",
    checks=[
        exists(starter="exercise-1.yaml"),
        one_gpu(),
        mounts_drivers(),
        runs_nvidia_smi("/usr/local/nvidia/bin/nvidia-smi"),
        ends_well(),
        shows_the_table(),
    ],
)
exercise(
    "3.2",
    "A training on one GPU",
    page="3-gpus#exercise-2",
    subject=Job("module3-ex2"),
    needs=[need_gpus("nvidia.com/gpu")],
    solution="exercise-2.yaml",
    checks=[
        exists(starter="exercise-2.yaml"),
        sample_image(),
        one_gpu(today=True),
        no_driver_by_hand(),
        cards_not_by_hand(),
        option_is("--max-steps", "500"),
        ends_well(),
        trained(500),
    ],
)
exercise(
    "3.3",
    "A GPU by its memory",
    page="3-gpus#exercise-3",
    subject=Job("module3-ex3"),
    needs=[need_cards(LEAST_GIB)],
    solution="exercise-3.yaml",
    also=(("resourceclaimtemplate", "module3-ex3"),),
    optional=True,
    checks=[
        exists(starter="exercise-3.yaml"),
        claim_template(),
        selects_memory(LEAST_GIB),
        uses_the_claim(),
        runs_nvidia_smi("nvidia-smi", "--query-gpu=memory.total", "--format=csv"),
        ends_well(),
        shows_memory(LEAST_GIB),
    ],
)
