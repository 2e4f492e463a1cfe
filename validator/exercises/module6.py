"""Module 6: one training on several replicas, and one that loses a worker on its way."""

from validator.checks import (
    arguments_are_text,
    container_named,
    default_ps,
    delete_a_worker,
    ends_well,
    exists,
    no_addresses_by_hand,
    option_is,
    replicas,
    sample_image,
    tf_config_agrees,
    trained,
    worker_replaced,
    workers_took_steps,
)
from validator.engine import exercise
from validator.operator_release import OPERATOR
from validator.subjects import TfJob

SHAPE = {"MASTER": 1, "WORKER": 2, "PS": 1}
MANIFEST = [
    replicas(**SHAPE),
    default_ps(),
    container_named("tensorflow"),
    arguments_are_text(),
    sample_image(),
    no_addresses_by_hand(),
]

exercise(
    "6.1",
    "One MASTER, two WORKER, one default PS",
    page="6-distributed-tensorflow#exercise-1",
    subject=TfJob("module6-ex1"),
    needs=[OPERATOR],
    solution="exercise-1.yaml",
    checks=[
        exists(starter="exercise-1.yaml"),
        *MANIFEST,
        option_is("--max-steps", "1000"),
        ends_well(),
        tf_config_agrees(**SHAPE),
        trained(1000, alone=False),
        workers_took_steps(2),
    ],
)
exercise(
    "6.2",
    "A worker is deleted while it trains",
    page="6-distributed-tensorflow#exercise-2",
    subject=TfJob("module6-ex2"),
    needs=[OPERATOR],
    solution="exercise-2.yaml",
    checks=[
        exists(
            "",
            "Copy your manifest of exercise 1, and change it: name module6-ex2, 3,000 steps.",
            "$ test -e {checkout}/my-module6-ex2.yaml || "
            "cp {checkout}/my-module6-ex1.yaml {checkout}/my-module6-ex2.yaml",
            "$ kubectl apply -f {checkout}/my-module6-ex2.yaml",
        ),
        *MANIFEST,
        ends_well(meanwhile=delete_a_worker),
        tf_config_agrees(**SHAPE),
        trained(alone=False),
        workers_took_steps(2),
        worker_replaced(),
    ],
)
