"""Module 5: the operator installed, and a TfJob that trains on one GPU."""

from validator.checks import (
    accuracy,
    arguments_are_text,
    asks_for_gpus,
    container_named,
    ends_well,
    exists,
    mounts_from_node,
    mounts_what_the_operator_knows,
    operator_exists,
    operator_knows_the_drivers,
    operator_runs,
    operator_serves,
    operator_was_installed_by_helm,
    option_is,
    replicas,
    sample_image,
    trained,
)
from validator.engine import exercise
from validator.operator_release import DRIVERS, OPERATOR, Operator
from validator.subjects import TfJob

exercise(
    "5.0",
    "Install the operator",
    page="5-tfjob#install-the-operator",
    subject=Operator("tf-job-operator"),
    install=("helm upgrade --install tf-job {checkout}/operator/chart --set cloud=azure --wait",),
    release="tf-job",
    checks=[
        operator_exists(),
        operator_was_installed_by_helm(),
        operator_serves(),
        operator_knows_the_drivers(),
        operator_runs(),
    ],
)
exercise(
    "5.1",
    "One MASTER on one GPU",
    page="5-tfjob#exercise-1",
    subject=TfJob("module5-ex1"),
    needs=[OPERATOR, DRIVERS],
    solution="exercise-1.yaml",
    solution_without_gpus="exercise-1-no-gpu.yaml",
    checks=[
        exists(starter="exercise-1.yaml"),
        replicas(MASTER=1),
        container_named("tensorflow"),
        arguments_are_text(),
        sample_image(),
        asks_for_gpus(1, or_none=True),
        mounts_from_node(),
        option_is("--max-steps", "500"),
        ends_well(),
        mounts_what_the_operator_knows(),
        trained(500),
        accuracy(0.80),
    ],
)
