"""Module 8: a notebook server that lets nobody in, and a training that a notebook starts."""

from validator import jupyter
from validator.checks import (
    account_exists,
    answers,
    asks_for_gpus,
    asks_the_api,
    bound_to,
    claim_bound,
    deployed,
    ends_well,
    exists,
    home_on,
    hub_admits,
    hub_keeps_homes,
    hub_keeps_out,
    hub_offers_gpu,
    hub_stands,
    installed,
    keeps_model,
    keeps_out,
    leads_to_its_pods,
    made_by_a_notebook,
    notebook_image,
    one_server,
    ready,
    role_gives,
    role_gives_no_more,
    runs_as,
    runs_jupyter,
    sample_image,
    server_exists,
    server_has_gpu,
    server_known,
    server_of,
    service_exists,
    stays_inside,
    token_from_a_secret,
    trained,
)
from validator.checks.hubs import Hub
from validator.engine import exercise
from validator.operator_release import OPERATOR
from validator.rights import rights
from validator.subjects import Deployment, NotebookTfJob
from validator.tfjobs import GPU_RESOURCES

SERVER, HOME, ACCOUNT = "module8-ex1", "module8-home", "module8-ex2"
TODAY = GPU_RESOURCES[1]
PORT = jupyter.PORT
FOLDER = "{checkout}/modules/8-jupyter"
HUB, USER = Hub("module8-ex3", FOLDER), "learner1"
VALUES = f"{{checkout}}/my-{HUB.name}.yaml"
INSTALL_HUB = (
    f"python -m cluster load {jupyter.IMAGE}",
    f"helm upgrade --install {HUB.name} {FOLDER}/charts/hub "
    f"--values {FOLDER}/solution/exercise-3.yaml",
    f"kubectl rollout status deployment/{HUB.name}",
)
NEEDED = rights(
    {
        ("tensorflow.org", "tfjobs"): "create get list watch delete",
        ("", "pods"): "get list",
        ("", "pods/log"): "get",
    }
)

exercise(
    "8.1",
    "A notebook server that lets nobody in",
    page="8-jupyter#exercise-1",
    subject=Deployment(SERVER),
    also=(("service", SERVER), ("secret", SERVER), ("pvc", HOME)),
    install=(
        f"python -m cluster load {jupyter.IMAGE}",
        f"sh {FOLDER}/solution/token.sh",
        f"kubectl apply -f {FOLDER}/solution/exercise-1.yaml",
        f"kubectl rollout status deployment/{SERVER}",
    ),
    checks=[
        server_exists("exercise-1.yaml"),
        notebook_image(),
        runs_jupyter(),
        token_from_a_secret(),
        one_server(),
        claim_bound(HOME),
        home_on(HOME),
        service_exists(PORT),
        stays_inside(),
        asks_the_api(PORT),
        ready(),
        leads_to_its_pods(PORT),
        keeps_out(SERVER, PORT),
    ],
)
exercise(
    "8.2",
    "A training that a notebook starts",
    page="8-jupyter#exercise-2",
    subject=NotebookTfJob(ACCOUNT),
    also=(
        ("serviceaccount", ACCOUNT),
        ("role", ACCOUNT),
        ("rolebinding", ACCOUNT),
        ("pvc", HOME),
    ),
    needs=[OPERATOR],
    install=(
        f"kubectl apply -f {FOLDER}/solution/exercise-2.yaml",
        f"kubectl set serviceaccount deployment {SERVER} {ACCOUNT}",
        f"kubectl rollout status deployment/{SERVER}",
        f"sh {FOLDER}/execute.sh {FOLDER}/solution/train.ipynb",
    ),
    checks=[
        account_exists(ACCOUNT, "exercise-2.yaml"),
        role_gives(ACCOUNT, NEEDED),
        role_gives_no_more(ACCOUNT, NEEDED),
        bound_to(ACCOUNT),
        runs_as(SERVER, ACCOUNT),
        exists(
            "",
            "If you have no copy of the notebook yet, make one:",
            "$ test -e {checkout}/my-train.ipynb || "
            f"cp {FOLDER}/starter/train.ipynb {{checkout}}/my-train.ipynb",
            "Complete its three cells, and run it in the server:",
            f"$ sh {FOLDER}/execute.sh {{checkout}}/my-train.ipynb",
        ),
        made_by_a_notebook(),
        sample_image(),
        asks_for_gpus(1, or_none=True, resource=TODAY),
        keeps_model(HOME),
        ends_well(),
        trained(300),
    ],
)
exercise(
    "8.3",
    "A hub that starts servers",
    page="8-jupyter#exercise-3",
    subject=HUB,
    also=(("pod", f"jupyter-{USER}"), ("pvc", f"{HUB.name}-{USER}")),
    optional=True,
    install=(*INSTALL_HUB, f"sh {FOLDER}/hub.sh start {USER} gpu"),
    install_without_gpus=(*INSTALL_HUB, f"sh {FOLDER}/hub.sh start {USER} plain"),
    checks=[
        installed(
            "If you have no copy of the values yet, make one:",
            f"$ test -e {VALUES} || cp {FOLDER}/starter/exercise-3.yaml {VALUES}",
            "Complete it, and install the chart:",
            f"$ {HUB.command}",
        ),
        deployed(),
        hub_stands(),
        hub_admits(USER),
        hub_keeps_homes(),
        hub_offers_gpu(),
        answers(HUB.name, "80", "hub/api", '"version"', "the hub's version"),
        hub_keeps_out(HUB.name, 80),
        server_of(USER, f"{HUB.name}-{USER}"),
        server_known(USER, HUB.name, 80),
        server_has_gpu(USER),
    ],
)
