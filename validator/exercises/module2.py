"""Module 2: a training as a Job, and a server as a Deployment behind a Service."""

from validator.checks import (
    accuracy,
    answers,
    asks_before_ready,
    ends_well,
    exists,
    first_pods_replaced,
    leads_to_its_pods,
    listens,
    memory_limit,
    one_completion,
    option_is,
    ready,
    replicas_ready,
    sample_image,
    service_exists,
    trained,
)
from validator.engine import exercise
from validator.exercises.module1 import IMAGE
from validator.subjects import Deployment, Job

SERVER = "module2-ex2"
SOLUTION = "{checkout}/modules/2-kubernetes/solution/exercise-2.yaml"

exercise(
    "2.1",
    "A training as a Job",
    page="2-kubernetes#exercise-1",
    subject=Job("module2-ex1"),
    solution="exercise-1.yaml",
    checks=[
        exists(starter="exercise-1.yaml"),
        one_completion(),
        sample_image(own=IMAGE),
        option_is("--max-steps", "500"),
        memory_limit("2Gi"),
        ends_well(),
        trained(500),
        accuracy(0.80, own=0.75),
    ],
)
exercise(
    "2.2",
    "A server that stays, and its Service",
    page="2-kubernetes#exercise-2",
    subject=Deployment(SERVER),
    also=(("service", SERVER),),
    install=(
        f"kubectl apply -f {SOLUTION}",
        f"kubectl rollout status deployment/{SERVER}",
        f"kubectl scale deployment/{SERVER} --replicas=3",
        f"kubectl rollout status deployment/{SERVER}",
        f"kubectl delete pods -l app={SERVER}",
        f"kubectl rollout status deployment/{SERVER}",
    ),
    checks=[
        exists(starter="exercise-2.yaml"),
        service_exists(80),
        listens(),
        ready(),
        leads_to_its_pods(80),
        answers(SERVER, "80", "/", "train-images-idx3-ubyte", "the names of the data files"),
        asks_before_ready(),
        first_pods_replaced(),
        replicas_ready(3),
    ],
)
