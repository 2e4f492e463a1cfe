"""Module 4: a chart installed with values of one's own, and a chart of one's own upgraded."""

from validator.checks import (
    answers,
    deployed,
    ends_well,
    in_effect,
    installed,
    job_labels,
    job_takes,
    makes_a_job,
    newest_deployment,
    newest_job,
    ready,
    sample_image,
    trained,
    upgraded,
)
from validator.checks.release_objects import service_port, window_title
from validator.checks.releases import Chart
from validator.engine import exercise

TITLE, PORT = "Hello MLADS", "8080"
FOLDER = "{checkout}/modules/4-helm"
TENSORBOARD = Chart(
    "module4-ex1",
    f"{FOLDER}/charts/tensorboard",
    f"windowTitle={TITLE}",
    f"service.port={PORT}",
)
TRAINING = Chart("module4-ex2", "{checkout}/my-module4-ex2", "maxSteps=100")

exercise(
    "4.1",
    "A TensorBoard with your title",
    page="4-helm#exercise-1",
    subject=TENSORBOARD,
    install=(TENSORBOARD.command,),
    checks=[
        installed("Install the chart with both values:", f"$ {TENSORBOARD.command}"),
        deployed(),
        in_effect("windowTitle", TITLE, "TensorBoard", "deployments", window_title),
        in_effect("service.port", PORT, "80", "services", service_port),
        *newest_deployment(ready()),
        answers(
            "module4-ex1",
            PORT,
            "/data/environment",
            f'"window_title": "{TITLE}"',
            f"the title {TITLE}",
        ),
    ],
)
exercise(
    "4.2",
    "A chart of your own",
    page="4-helm#exercise-2",
    subject=TRAINING,
    install=(
        f"helm upgrade --install module4-ex2 {FOLDER}/solution/module4-ex2",
        f"helm upgrade module4-ex2 {FOLDER}/solution/module4-ex2 --set maxSteps=100",
    ),
    checks=[
        installed(
            "If you have no copy of the starter yet, make one:",
            "$ test -e {checkout}/my-module4-ex2 || "
            f"cp -r {FOLDER}/starter/module4-ex2 {{checkout}}/my-module4-ex2",
            "Complete the chart as the page says, and install it:",
            "$ helm install module4-ex2 {checkout}/my-module4-ex2",
        ),
        deployed(),
        makes_a_job(),
        job_labels(),
        *newest_job(sample_image(), ends_well()),
        upgraded(),
        job_takes(100, "maxSteps"),
        *newest_job(trained(100)),
    ],
)
