"""Module 5: the operator; a TfJob on one GPU; its model on a claim; its TensorBoard."""

from validator.checks import (
    accuracy,
    arguments_are_text,
    asks_for_gpus,
    board_reads_the_logs,
    board_shows_the_run,
    board_stands,
    claim_bound,
    container_named,
    ends_well,
    exists,
    keeps_model,
    model_read_back,
    mounts_from_node,
    mounts_what_the_operator_knows,
    operator_exists,
    operator_knows_the_drivers,
    operator_runs,
    operator_serves,
    operator_was_installed_by_helm,
    option_is,
    replicas,
    same_accuracy,
    sample_image,
    trained,
)
from validator.engine import exercise
from validator.operator_release import DRIVERS, OPERATOR, Operator
from validator.subjects import TfJob

CLAIM, READER = "module5-models", "module5-ex2-reader"
SOLUTIONS = "{checkout}/modules/5-tfjob/solution"
TRAINING = [
    replicas(MASTER=1),
    container_named("tensorflow"),
    arguments_are_text(),
    sample_image(),
    claim_bound(CLAIM),
    keeps_model(CLAIM),
    option_is("--max-steps", "500"),
]

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
exercise(
    "5.2",
    "A model that outlives its Pod",
    page="5-tfjob#exercise-2",
    subject=TfJob("module5-ex2"),
    also=(("job", READER), ("pvc", CLAIM)),
    needs=[OPERATOR],
    solution="exercise-2.yaml",
    solution_without_gpus="exercise-2-no-gpu.yaml",
    then=(
        "kubectl wait tfjob/module5-ex2 --for=jsonpath={.status.phase}=Done --timeout=5m",
        f"kubectl apply -f {SOLUTIONS}/exercise-2-reader.yaml",
    ),
    checks=[
        exists(starter="exercise-2.yaml"),
        *TRAINING,
        ends_well(pods_may_go=True),
        trained(500, pods_may_go=True),
        model_read_back(READER, starter="exercise-2-reader.yaml"),
        same_accuracy(READER),
    ],
)
exercise(
    "5.3",
    "TensorBoard in the TfJob",
    page="5-tfjob#exercise-3",
    subject=TfJob("module5-ex3"),
    also=(("pvc", CLAIM),),
    needs=[OPERATOR],
    solution="exercise-3.yaml",
    solution_without_gpus="exercise-3-no-gpu.yaml",
    checks=[
        exists(starter="exercise-3.yaml"),
        *TRAINING,
        board_reads_the_logs(CLAIM),
        ends_well(),
        trained(500),
        board_stands(),
        board_shows_the_run(),
    ],
)
