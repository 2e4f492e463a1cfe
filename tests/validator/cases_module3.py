"""What learners do in module 3: Jobs on GPUs, by hand, by number and by claim.

What the API server refuses at once makes no object, so that it is no world of its own: a GPU in
requests alone, a limit that is not the request, half of `nvidia.com/gpu`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.validator.cases import MISTAKES, Case, Typed
from validator.verdicts import Verdict

NOT_STARTED, CONVERGING, WRONG = Verdict.NOT_STARTED, Verdict.CONVERGING, Verdict.WRONG
DONE, COULD_NOT_CHECK = Verdict.DONE, Verdict.COULD_NOT_CHECK
MODULE_3 = Path("modules/3-gpus")
READY = "kubectl wait --for=condition=Ready pod/holder --timeout=60s"


def _case(number: str, name: str, id: str, found: str, fix: str, **more: Any) -> Case:
    manifest = MISTAKES / f"{number}-{name}.yaml"
    more = {"verdict": WRONG, "manifest": manifest, **more}
    return Case(number, name, **more, id=id, found=found, fix=fix)


def _one(name: str, id: str, found: str, fix: str, **more: Any) -> Case:
    return _case("3.1", name, id, found, fix, **more)


def _two(name: str, id: str, found: str, fix: str, **more: Any) -> Case:
    return _case("3.2", name, id, found, fix, **more)


def _three(name: str, id: str, found: str, fix: str, **more: Any) -> Case:
    return _case("3.3", name, id, found, fix, **more)


def _done(number: str, name: str, **more: Any) -> Case:
    return _case(number, name, "", "", "", verdict=DONE, **more)


def _given(number: str, what: str) -> Path:
    return MODULE_3 / what / f"exercise-{number[-1]}.yaml"


def _nothing_made(number: str) -> Case:
    return _case(number, "nothing-made", "exists.none", "no Job", "kubectl apply", manifest=None,
                 verdict=NOT_STARTED)  # fmt: skip


def _held(number: str, id: str, found: str) -> Typed:
    """Another Pod holds what the exercise's Pod waits for."""
    name = "held-by-others"
    typed = ("kubectl apply -f {mistakes}/" + f"{number}-{name}.yaml", READY,
             f"kubectl apply -f {_given(number, 'solution')}")  # fmt: skip
    return Typed(number, name, CONVERGING, id, found, "delete what you no longer need", typed=typed,
                 manifest=MISTAKES / f"{number}-{name}.yaml")  # fmt: skip


MODULE3 = [
    _nothing_made("3.1"),
    _done("3.1", "solution", manifest=_given("3.1", "solution"), live=True),
    _done("3.1", "requests-of-2017"),
    _done("3.1", "limits-of-2017"),
    _done("3.1", "todays-name"),
    _done("3.1", "in-a-shell"),
    _one("starter", "gpus.none", "no GPU asked for", "nvidia-gpu: 1",
         manifest=_given("3.1", "starter"), live=True),
    _one("wrong-name", "exists.name.separators", "named module3-ex-1", "to module3-ex1"),
    _one("pod", "exists.kind.pods", "a Pod named module3-ex1", "kubectl delete pod module3-ex1"),
    _one("half-a-gpu", "gpus.amount", "no whole number of GPUs", "nvidia-gpu: 1"),
    _one("two-gpus", "gpus.count", "asks for 2", "nvidia-gpu: 1"),
    _one("too-many-gpus", "gpus.too-many", "asks for 5", "nvidia-gpu: 1"),
    _one("two-containers", "gpus.sum", "nvidia-smi 1, second 1", "in this container alone"),
    _one("no-gpu", "gpus.uncounted", "nobody counts the card", "nvidia-gpu: 1", live=True),
    _one("no-driver", "drivers.none", "mounts no folder", "/usr/lib/nvidia-384/bin"),
    _one("not-mounted", "drivers.not-mounted", "the volume lib has no volumeMount", "name: lib"),
    _one("no-libraries", "drivers.missing", "only /usr/lib/nvidia-384/bin", "Add a hostPath"),
    _one("wrong-folder", "drivers.wrong-folder", "/opt/nvidia/bin of the node",
         "type: Directory"),
    _one("not-on-path", "ends.program.nvidia-smi", "no program nvidia-smi", "its full path"),
    _one("no-command", "program.no-command", "`command` is missing", "bin/nvidia-smi"),
    _one("list", "table.list", "a list of cards", "without options"),
    _one("help", "table.none", "does not have nvidia-smi's table", "without options"),
    _one("void", "ends.exit.6.no-devices", "No devices were found", "NVIDIA_VISIBLE_DEVICES"),
    _nothing_made("3.2"),
    # Page 3 has it graded on a real cluster each time.
    _done("3.2", "solution", manifest=_given("3.2", "solution"), trains=True),
    _two("starter", "gpus.none", "no GPU asked for", "nvidia.com/gpu: 1",
         manifest=_given("3.2", "starter")),
    _two("cronjob", "exists.kind.cronjobs", "a CronJob named", "kubectl delete cronjob"),
    _two("missing-image", "image.misspelled", "fashion-mnits", "fashion-mnist:1.2.0"),
    _two("old-name", "gpus.old-name", "the name of 2017", "nvidia.com/gpu: 1"),
    _two("both-names", "gpus.both", "two counters of the same cards", "Delete the line with"),
    _two("two-gpus", "gpus.count", "asks for 2", "nvidia.com/gpu: 1"),
    _two("too-many-gpus", "gpus.too-many", "asks for 5", "nvidia.com/gpu: 1"),
    _two("driver-by-hand", "host-mounts.by-hand", "/usr/lib/nvidia-384/bin", "Delete the hostPath"),
    _two("all-cards", "visible.by-hand", "sets NVIDIA_VISIBLE_DEVICES", "from `env`"),
    _two("fifty-steps", "option.value", "--max-steps is 50", '["--max-steps", "500"]'),
    _two("node-selector", "ends.unscheduled.label", "NVIDIA-A100-SXM4-80GB", "--show-labels"),
    _two("little-memory", "ends.memory", "limit of 64Mi", "resources.limits.memory"),
    _two("only-words", "trained.program.command", "replaces the image's training program",
         "Take out of the manifest"),
    _held("3.2", "ends.unscheduled.gpu", "in this namespace: holder (4)"),
    _nothing_made("3.3"),
    _done("3.3", "solution", manifest=_given("3.3", "solution"), live=True),
    _done("3.3", "by-capacity"),
    _three("starter", "selector.none", "has no selector", "quantity('48Gi')",
           manifest=_given("3.3", "starter"), live=True),
    _three("no-template", "template.none", "no ResourceClaimTemplate module3-ex3",
           "under `exactly`"),
    _three("no-class", "template.no-class", "the class gpus.nvidia.com", "gpu.nvidia.com"),
    _three("by-product", "selector.no-memory", "productName", "quantity('48Gi')"),
    _three("wrong-domain", "selector.domain", "under nvidia.com", "capacity['gpu.nvidia.com']"),
    _three("too-small", "selector.too-small", "cards of 40 GiB too", "quantity('48Gi')"),
    _three("too-large", "selector.fits-none", "asks for 100 GiB", "Lower the amount"),
    _three("no-claim", "claim.none", "has no resourceClaims", "resourceClaimTemplateName"),
    _three("by-name", "claim.by-name", "waits until somebody makes one",
           "resourceClaimTemplateName: module3-ex3"),
    _three("other-template", "claim.other-template", "the template module3-ex4",
           "resourceClaimTemplateName: module3-ex3"),
    _three("unused", "claim.unused", "does not ask for it", "resources: {claims: [{name: gpu}]}",
           live=True),
    _three("other-program", "program.other", "the container runs ls", "nvidia-smi"),
    _three("table", "memory.none", "no amount of memory", "--query-gpu=memory.total"),
    _held("3.3", "ends.unscheduled.claim", "these Pods have claims: holder"),
]  # fmt: skip


def _cheat(number: str, name: str, id: str, found: str, fix: str, *then: str, **more: Any) -> Typed:
    apply = "kubectl apply -f {cheats}/" + f"{number}-{name}.yaml"
    wait = f"kubectl wait --for=condition=Complete job/module3-ex{number[-1]} --timeout=60s"
    return Typed(number, name, more.get("verdict", WRONG), id, found, fix,
                 typed=(apply, wait, *then), cheat=True)  # fmt: skip


# None of them is done.
CHEATS = [
    _cheat("3.1", "recorded-table", "program.other", "the container runs cat", "bin/nvidia-smi"),
    _cheat("3.1", "script-of-that-name", "program.not-the-drivers", "from the volume recorded",
           "bin/nvidia-smi"),
    _cheat("3.1", "shell-prints", "program.unclear", "cannot be seen", "nvidia-smi alone",
           verdict=COULD_NOT_CHECK),
    _cheat("3.2", "copied-log", "trained.program.command", "training program", "Take out"),
    _cheat("3.2", "gpu-in-a-side-car", "gpus.elsewhere", "its containers ask for GPUs: gpu 1",
           "in this container alone"),
    _cheat("3.3", "own-class", "template.no-class", "the class cheat-any-card", "gpu.nvidia.com",
           "kubectl delete deviceclass cheat-any-card"),
    _cheat("3.3", "forged-log", "program.other", "the container runs echo", "nvidia-smi"),
    _cheat("3.3", "shared-claim", "claim.by-name", "shares its card",
           "resourceClaimTemplateName: module3-ex3"),
]  # fmt: skip
