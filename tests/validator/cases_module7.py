"""What learners do in module 7: a chart with loops, and a search by a program.

A mistake in the chart is a folder of `mistakes/` with the files that differ from the solution's;
one in the program is the solution with some of its text replaced (`search_with`).
"""

from __future__ import annotations

from typing import Any

from tests.validator.cases import MISTAKES, Typed
from validator.verdicts import Verdict

NOT_STARTED, CONVERGING, WRONG = Verdict.NOT_STARTED, Verdict.CONVERGING, Verdict.WRONG
DONE, UNCLEAR = Verdict.DONE, Verdict.COULD_NOT_CHECK
COMMANDS = MISTAKES.parent / "cheats/commands"
INSTALL = "helm install module7-ex1 {chart}"
SEARCH = "python {sweeps}/solution/search.py"
# Enough for a verdict on what was tried, and too few for one on what came of it.
SHORT = " --trials 10 --max-steps 100"
WHOLE = " --trials 10 --max-steps 2000"


def _one(name: str, id: str, found: str, fix: str, *typed: str, **more: Any) -> Typed:
    """A mistake in a copy of the solution's chart, where a folder has its name."""
    place = (COMMANDS if more.get("cheat") else MISTAKES) / f"7.1-{name}"
    more = {"verdict": WRONG, "manifest": place if place.is_dir() else None, **more}
    return Typed("7.1", name, **more, id=id, found=found, fix=fix, typed=typed or (INSTALL,))


def _two(name: str, id: str, found: str, fix: str, *typed: str, **more: Any) -> Typed:
    more = {"verdict": WRONG, "trains": True, **more}
    return Typed("7.2", name, **more, id=id, found=found, fix=fix, typed=typed)


def _with(*replacements: str) -> str:
    """The search with some of its text replaced. Braces are doubled: a case's words are a format.

    The words are quoted for a shell, so none of them has an apostrophe.
    """
    words = " ".join(f"'{each}'" for each in replacements)
    return f"python -m tests.validator.search_with {words}".replace("{", "{{").replace("}", "}}")


REPORT = "trial.report(loss, step) => pass"
LABELS = '"labels": {"sweep": options.name} => "labels": {}'
NOTE = 'note = {"annotations": {PRUNED_AT: str(step)}} => note = {}'
MINIMISE = 'study = optuna.create_study( => study = optuna.create_study(direction="maximize", '
LAYERS = '"hidden_layers", 2, 8 => "hidden_layers", 60, 80'
IMAGE = "fashion-mnist:1.2.0 => fashion-mnits:1.2.0"
PROGRAM = '"command": ["python", "-m", "painting.train"], => '
SPEC = '"spec": {"replicaSpecs": [replica]}, => "spec": {"replicaSpecs": [replica], '
ASLEEP = SPEC + '"runPolicy": {"suspend": name[-1] in "789"}},'
PRINTS = '"command": ["python", "-m", "painting.train"] => "command": ["sh", "-c", '
PRINTS += (
    '"for i in 1 2 3 4 5; do sleep 1; echo step $i/5 loss 0.00$i; done; echo painted /tmp/p", '
    '"painting.train"]'
)

MODULE7 = [
    _one("nothing-made", "exists.none", "no Helm release module7-ex1", "starter/module7-ex1",
         "kubectl get pods", verdict=NOT_STARTED),
    _one("solution", "", "", "", verdict=DONE, trains=True),
    _one("wrong-name", "exists.name.separators", "named module7ex1", "install module7-ex1",
         "helm install module7ex1 {chart}"),
    _one("starter", "grid.one", "one TfJob, module7-ex1-0-0", "two `range`",
         "helm install module7-ex1 {sweeps}/starter/module7-ex1"),
    _one("at-work", "ends.on-their-way", "of 9 TfJobs", "Wait", verdict=CONVERGING),
    _one("value-in-name", "ends.refused.name", "has a dot", "{{ $i }}-{{ $j }}"),
    _one("one-name", "release.failed", "revision 1", "cannot be changed once", "! " + INSTALL),
    _one("separator-outside", "grid.separator", "the last number of layers", "inside of the inner"),
    _one("one-loop", "grid.small", "numbers of layers: 1", "hyperParamValues"),
    _one("fixed-values", "grid.twice", "9 TfJobs try rate 0.001 with 5 layers", "{{ $rate }}"),
    _one("no-values", "grid.values", "no number as --learning-rate", "{{ $rate }}"),
    _one("deleted-one", "grid.holes", "of 3 by 3 pairs, 1 has no TfJob", "helm uninstall",
         INSTALL, "kubectl delete tfjob module7-ex1-2-2"),
    _one("unquoted-number", "each.args.unquoted", "", ""),
    _one("missing-image", "each.image.other", "fashion-mnits", "fashion-mnist:1.2.0",
         INSTALL + " --set image=localhost/fashion-mnits:1.2.0"),
    _one("without-gpu", "each.gpus.none", "no GPU asked for", "nvidia.com/gpu: 1",
         INSTALL + " --set useGPU=false"),
    _one("other-program", "each.program.command", "does not run the painter", "painting.train"),
    _one("one-folder", "folders.shared", "both write to /runs", "rate-{{ $rate }}"),
    _one("no-log-dir", "folders.lost", "/tmp/painting", "--log-dir=/runs/rate-{{ $rate }}"),
    _one("board-in-each", "board.many", "10 TensorBoards", "out of the loops"),
    _one("no-board", "board.none", "0 TensorBoards", "templates/tensorboard.yaml"),
    _one("bad-value", "ends.exit.2.value", "1 to 50", "helm uninstall",
         INSTALL + " --set hyperParamValues.hiddenLayers={{60,70,80}}", trains=True),
    _one("few-steps", "painted.steps", "100 steps", "--max-steps=600",
         INSTALL + " --set maxSteps=100", trains=True),
    _one("near-values", "spread.narrow", "all values do about as well", "go by tens",
         INSTALL + " --set hyperParamValues.learningRate={{0.001,0.0011}}", trains=True),
    _one("board-elsewhere", "hparams.missing", "no row for rate", "the same claim", trains=True),
    _two("nothing-made", "exists.none", "no search module7-ex2", "starter/search.py",
         "kubectl get pods", verdict=NOT_STARTED, trains=False),
    _two("solution", "", "", "", SEARCH + WHOLE, verdict=DONE),
    _two("starter", "choices.same-rate", "all 10 trials have the same learning rate", "log=True",
         "python {sweeps}/starter/search.py" + SHORT),
    _two("no-label", "exists.no-label", "has no label sweep", '"sweep": "module7-ex2"',
         _with(LABELS) + " --trials 2 --max-steps 20"),
    _two("missing-image", "each.image.misspelled", "fashion-mnits", "fashion-mnist",
         "! timeout 20 " + _with(IMAGE)),
    _two("other-program", "each.program.command", "does not run the painter", "painting.train",
         "! timeout 20 " + _with(PROGRAM)),
    _two("bad-value", "ends.exit.2.value", "1 to 50", "kubectl delete tfjobs",
         "! timeout 60 " + _with(LAYERS) + " --trials 4"),
    _two("deleted", "trials.deleted", "1 trial is gone: module7-ex2-3", "suspend it",
         SEARCH + SHORT, "kubectl delete tfjob module7-ex2-3"),
    _two("few-trials", "trials.few", "5 trials", "10 trials or more",
         SEARCH + " --trials 5 --max-steps 100"),
    _two("uniform", "choices.narrow", "the small ones were not tried", "log=True",
         _with("log=True => log=False") + SHORT),
    _two("never-reported", "pruned.none", "none was suspended", "trial.report",
         _with(REPORT) + SHORT),
    _two("unmarked", "pruned.unmarked", "no annotation workshop/pruned-at-step", "annotation",
         _with(NOTE) + WHOLE),
    _two("maximised", "best.other", "the label best: true is on", "minimize",
         _with(MINIMISE) + WHOLE),
]  # fmt: skip

# None of them is done.
CHEATS = [
    _one("printed", "each.program.prints", "does not run the painter", "painting.train",
         cheat=True),
    _one("last-value-wins", "grid.twice", "3 TfJobs try rate 0.01 with 5 layers", "{{ $rate }}",
         cheat=True),
    _one("rendered", "exists.none", "no Helm release module7-ex1", "helm install",
         "helm template module7-ex1 {chart} | kubectl apply -f -", verdict=NOT_STARTED,
         cheat=True),
    _two("born-suspended", "pruned.never-ran", "has not run before", "should_prune",
         _with(ASLEEP) + SHORT, cheat=True),
    _two("printed", "each.program.prints", "does not run the painter", "painting.train",
         _with(PRINTS) + " --trials 10 --max-steps 5", cheat=True),
]  # fmt: skip
