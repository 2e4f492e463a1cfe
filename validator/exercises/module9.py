"""Module 9: a model that is served, that grows with load, and GPUs that are shared."""

from validator.checks import (
    a_gpu_each,
    all_in_the_group,
    answers,
    arguments_are_text,
    asks_for_gpus,
    asks_for_the_model,
    bounds,
    by_cpu,
    claim_bound,
    container_named,
    ends_well,
    exists,
    gang_of,
    gang_waits,
    keeps_model,
    leads_to_its_pods,
    made_way,
    measures,
    model_of_a_tfjob,
    need_class,
    need_gpus,
    need_metrics,
    need_pod_groups,
    option_is,
    ready,
    replicas,
    resumed,
    runs_the_server,
    sample_image,
    scales,
    server_asks_for_cpu,
    serves_from,
    service_exists,
    together,
    trained,
    under_load,
    urgent,
    waited,
    waits_for,
    was_asked,
    was_scaled,
    without_priority,
)
from validator.checks.gangs import Gang
from validator.engine import exercise
from validator.operator_release import OPERATOR
from validator.subjects import Autoscaler, Deployment, TfJob

CLAIM, MODEL, PORT = "module9-models", "module9-model", 8501
SERVER, LOAD = "module9-ex1", "module9-ex2-load"
URGENT, CLASS = "module9-ex3-urgent", "workshop-urgent"
URL = f"http://{SERVER}:{PORT}/v1/models/fashion-mnist"
FOLDER = "{checkout}/modules/9-going-further"
ASK = "--image=localhost/fashion-mnist:1.2.0 --command -- python -m fashion_mnist.ask"

exercise(
    "9.1",
    "A model that is served",
    page="9-going-further#exercise-1",
    subject=Deployment(SERVER),
    also=(("service", SERVER), ("tfjob", MODEL), ("pvc", CLAIM)),
    install=(
        f"kubectl apply -f {FOLDER}/manifests/model.yaml",
        f"kubectl wait tfjob/{MODEL} --for=condition=Succeeded --timeout=5m",
        f"kubectl apply -f {FOLDER}/solution/exercise-1.yaml",
        f"kubectl rollout status deployment/{SERVER}",
        f"kubectl run ask --rm -i --restart=Never {ASK} {URL}",
    ),
    checks=[
        exists(starter="exercise-1.yaml"),
        sample_image(),
        runs_the_server(),
        claim_bound(CLAIM, "manifests/model.yaml"),
        serves_from(CLAIM),
        service_exists(PORT),
        asks_for_the_model(),
        model_of_a_tfjob(CLAIM),
        ready(),
        leads_to_its_pods(PORT),
        answers(SERVER, f"{PORT}", "v1/models/fashion-mnist", '"AVAILABLE"', "an available model"),
        was_asked(SERVER, PORT),
    ],
)
exercise(
    "9.2",
    "A server that grows with its load",
    page="9-going-further#exercise-2",
    subject=Autoscaler("module9-ex2"),
    also=(("job", LOAD),),
    needs=[need_metrics()],
    install=(
        f"kubectl apply -f {FOLDER}/solution/exercise-2.yaml",
        f"kubectl delete job {LOAD} --ignore-not-found",
        f"kubectl apply -f {FOLDER}/manifests/load.yaml",
        f"kubectl wait job/{LOAD} --for=condition=Complete --timeout=4m",
    ),
    checks=[
        exists(starter="exercise-2.yaml"),
        scales(SERVER),
        by_cpu(50),
        bounds(1, 3),
        server_asks_for_cpu(SERVER),
        measures(),
        under_load(LOAD, SERVER),
        was_scaled(LOAD),
    ],
)
exercise(
    "9.3",
    "A training that makes way, and goes on",
    page="9-going-further#exercise-3",
    subject=TfJob("module9-ex3"),
    also=(("tfjob", URGENT), ("pvc", CLAIM)),
    needs=[OPERATOR, need_gpus(), need_class(CLASS, 1000)],
    solution="exercise-3.yaml",
    checks=[
        exists(starter="exercise-3.yaml"),
        replicas(MASTER=1),
        container_named("tensorflow"),
        arguments_are_text(),
        sample_image(),
        claim_bound(CLAIM),
        keeps_model(CLAIM),
        asks_for_gpus(3),
        option_is("--checkpoint-every", "100"),
        without_priority(),
        urgent(URGENT, CLASS, 2),
        ends_well(meanwhile=waits_for(URGENT)),
        made_way(URGENT),
        resumed(100),
        trained(1500),
    ],
)
exercise(
    "9.4",
    "Three Pods, or none",
    page="9-going-further#exercise-4",
    subject=Gang("module9-ex4"),
    also=(("podgroup", "module9-ex4"), ("job", "module9-ex4-holder")),
    needs=[OPERATOR, need_gpus(), need_pod_groups()],
    optional=True,
    install=(
        f"kubectl apply -f {FOLDER}/manifests/holder.yaml",
        "kubectl wait pod --selector=job-name=module9-ex4-holder --for=condition=Ready "
        "--timeout=60s",
        f"kubectl apply -f {FOLDER}/solution/exercise-4.yaml",
        "kubectl wait podgroup/module9-ex4 --for=condition=PodGroupInitiallyScheduled=False "
        "--timeout=60s",
        "kubectl delete job module9-ex4-holder",
        "kubectl wait tfjob/module9-ex4 --for=condition=Succeeded --timeout=5m",
    ),
    checks=[
        exists(starter="exercise-4.yaml"),
        replicas(MASTER=1, WORKER=2),
        container_named("tensorflow"),
        sample_image(),
        a_gpu_each(),
        gang_of(3),
        all_in_the_group(),
        ends_well(meanwhile=gang_waits),
        together(),
        waited(),
        trained(100, alone=False),
    ],
)
