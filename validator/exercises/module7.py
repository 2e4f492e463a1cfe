"""Module 7: a grid of trainings by one chart, and a search that gives up what is hopeless."""

from validator.checks import (
    arguments_are_text,
    asks_for_gpus,
    deployed,
    installed,
    sample_image,
)
from validator.checks.gpus import TODAY
from validator.checks.grids import (
    CLAIM,
    Grid,
    all_succeed,
    best_of_all,
    board_shows_all,
    full_grid,
    one_board,
    own_folders,
    spread,
)
from validator.checks.searches import (
    best_is_good,
    best_labelled,
    choices,
    cost,
    enough_trials,
    enough_whole,
    some_pruned,
    trials_are_over,
    trials_exist,
)
from validator.checks.sweeps import of_each, painted, paints
from validator.engine import exercise
from validator.operator_release import OPERATOR
from validator.subjects import Search

FOLDER = "{checkout}/modules/7-hyper-param-sweeping"
GRID = Grid("module7-ex1", "{checkout}/my-module7-ex1")

exercise(
    "7.1",
    "A grid of nine paintings",
    page="7-hyper-param-sweeping#exercise-1",
    subject=GRID,
    also=(("pvc", CLAIM),),
    needs=[OPERATOR],
    install=(f"helm upgrade --install module7-ex1 {FOLDER}/solution/module7-ex1",),
    install_without_gpus=(
        f"helm upgrade --install module7-ex1 {FOLDER}/solution/module7-ex1 --set useGPU=false",
    ),
    says=best_of_all,
    checks=[
        installed(
            "If you have no copy of the starter yet, make one:",
            "$ test -e {checkout}/my-module7-ex1 || "
            f"cp -r {FOLDER}/starter/module7-ex1 {{checkout}}/my-module7-ex1",
            "Complete the chart as the page says, and install it:",
            "$ helm install module7-ex1 {checkout}/my-module7-ex1",
        ),
        deployed(),
        of_each(arguments_are_text()),
        of_each(sample_image()),
        # Before the values, since it says best why those cannot be read.
        paints(),
        full_grid(),
        of_each(asks_for_gpus(1, or_none=True, resource=TODAY)),
        own_folders(),
        one_board(),
        all_succeed(),
        painted(600, title="Each log is the painter's, to step 600 or further."),
        spread(),
        board_shows_all("module7-ex1-tensorboard"),
    ],
)
exercise(
    "7.2",
    "A search that suspends what is hopeless",
    page="7-hyper-param-sweeping#exercise-2",
    subject=Search("module7-ex2"),
    needs=[OPERATOR],
    install=(f"python {FOLDER}/solution/search.py",),
    install_without_gpus=(f"python {FOLDER}/solution/search.py --no-gpu",),
    says=cost,
    checks=[
        trials_exist(),
        of_each(sample_image()),
        paints(),
        trials_are_over(),
        enough_trials(),
        choices(),
        some_pruned(),
        enough_whole(),
        painted(500, title="The log of each that went to its end is the painter's."),
        best_labelled(),
        best_is_good(0.004),
    ],
)
