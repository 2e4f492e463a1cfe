"""Whoever does not train is not done; whoever does, however oddly, is.

``cheats/`` has the manifests, ``cheat_snapshots/`` what ``record_cheats`` recorded
of them on a real cluster. The rest are recordings that are edited here.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from validator import exercises  # noqa: F401 (registers the exercises)
from validator.engine import Grade, grade
from validator.handin.whitelist import whitelisted
from validator.redaction import redact
from validator.snapshot import Snapshot
from validator.verdicts import Verdict

HERE = Path(__file__).resolve().parent
CHEATS, SNAPSHOTS = HERE / "cheats", HERE / "cheat_snapshots"
Data = dict[str, Any]
Edit = Callable[[Data], object]

# Each cheat, and the finding that tells it.
TOLD = {
    "5.1-bash-function": "trained.program.code-variable",
    "5.1-burst": "trained.program.command",
    "5.1-carriage-returns": "trained.program.command",
    "5.1-child-by-hand": "drivers.other",
    "5.1-echo-with-sleeps": "trained.program.command",
    "5.1-edited-status": "trained.exit",
    "5.1-edited-while-running": "ends.pods-gone.deleted",
    "5.1-env-from": "trained.program.env-from",
    "5.1-filled-by-init": "trained.program.working-folder",
    "5.1-help-and-echo": "trained.program.prints",
    "5.1-hidden-echo": "trained.program.unclear",
    "5.1-mounted-program": "trained.program.mounted-code",
    "5.1-neighbours-log": "trained.program.command",
    "5.1-one-step-line": "trained.program.command",
    "5.1-own-runtime-id": "trained.program.command",
    "5.1-post-start": "trained.steps",
    "5.1-program-text": "trained.program.prints",
    "5.1-python-path": "trained.program.code-variable",
    "5.1-side-car-prints": "trained.steps",
    "5.1-side-car-writes": "trained.log.order",
    "5.1-working-dir": "trained.program.working-folder",
    "6.1-fewer-steps": "trained.steps",
    "6.1-other-image": "ends.program.missing",
    "6.1-workers-sleep": "trained.program.command",
    "6.2-after-the-end": "replaced.none",
    "6.2-master-deleted": "replaced.chief",
}
# Where the verdict is could not check: nobody is accused of what cannot be seen.
UNCLEAR = ("env-from", "filled-by-init", "hidden-echo", "python-path", "working-dir", "while-run")
HONEST = sorted(path.stem for path in (SNAPSHOTS / "honest").glob("*.json"))


def recorded(name: str) -> Data:
    data: Data = json.loads((SNAPSHOTS / f"{name}.json").read_text())
    return data


def graded(data: Data, number: str) -> Grade:
    (result,) = grade(Snapshot(data), [number])
    return result


def said(result: Grade) -> str:
    return result.finding.id if result.finding else "done"


def test_every_cheat_is_recorded_and_told():
    assert {path.stem for path in CHEATS.glob("*.yaml")} == set(TOLD)
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == set(TOLD)
    assert {path.stem for path in (CHEATS / "honest").glob("*.yaml")} | {"6.2-worker-lost"} == set(
        HONEST
    )


@pytest.mark.parametrize("name", TOLD)
def test_a_cheat_is_not_done(name):
    result = graded(recorded(name), name[:3])
    assert said(result) == TOLD[name]
    unclear = any(part in name for part in UNCLEAR)
    assert result.verdict is (Verdict.COULD_NOT_CHECK if unclear else Verdict.WRONG)


@pytest.mark.parametrize("name", TOLD)
def test_a_cheat_is_not_done_from_a_file(name):
    """What a snapshot's file leaves out must not make it done."""
    result = graded(redact(whitelisted(recorded(name))), name[:3])
    assert result.verdict is not Verdict.DONE


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_variant_is_done(name):
    result = graded(recorded(f"honest/{name}"), name[:3])
    assert result.verdict is Verdict.DONE, result.finding


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_variant_is_done_from_a_file(name):
    result = graded(redact(whitelisted(recorded(f"honest/{name}"))), name[:3])
    assert result.verdict is Verdict.DONE, result.finding


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_variant_stays_done_when_its_events_are_forgotten(name):
    data = recorded(f"honest/{name}")
    data["objects"]["events"] = []
    data["taken"] = _later(data["taken"], hours=3)
    assert graded(data, name[:3]).verdict is Verdict.DONE


# --- recordings that are edited -------------------------------------------------------------


def _later(time: str, **span: float) -> str:
    return (datetime.fromisoformat(time) + timedelta(**span)).isoformat()


def own(data: Data) -> Data:
    """The TfJob of the exercise: the last that was recorded."""
    tfjob: Data = data["objects"]["tfjobs"][-1]
    return tfjob


def chief(data: Data) -> Data:
    """The Pod of its MASTER."""
    uids = {
        job["metadata"]["uid"]
        for job in data["objects"]["jobs"]
        if job["metadata"]["ownerReferences"][0]["uid"] == own(data)["metadata"]["uid"]
    }
    pods = [
        pod
        for pod in data["objects"]["pods"]
        if pod["metadata"].get("ownerReferences", [{}])[0].get("uid") in uids
        and pod["metadata"]["labels"]["job_type"] == "MASTER"
    ]
    return pods[-1]


def containers(data: Data) -> list[Data]:
    """The container of the MASTER, as the manifest and as the Pod have it."""
    template = own(data)["spec"]["replicaSpecs"][0]["template"]
    return [template["spec"]["containers"][0], chief(data)["spec"]["containers"][0]]


def log_key(data: Data) -> str:
    return f"{chief(data)['metadata']['name']}/tensorflow"


def rewrite(pattern: str, by: Any) -> Edit:
    """Change the log of the chief."""

    def edit(data: Data) -> None:
        log = data["logs"][log_key(data)]
        for part in ("head", "tail"):
            log[part] = re.sub(pattern, by, log[part], flags=re.MULTILINE)

    return edit


def each_container(**more: Any) -> Edit:
    def edit(data: Data) -> None:
        for container in containers(data):
            container.update(more)

    return edit


def pod_alone(**more: Any) -> Edit:
    return lambda data: containers(data)[1].update(more)


def without(kind: str) -> Edit:
    return lambda data: own(data)["status"].update(
        conditions=[c for c in own(data)["status"]["conditions"] if c["type"] != kind]
    )


def shares(first: int, second: int) -> Edit:
    def edit(data: Data) -> None:
        rewrite(r"worker 0 took \d+ steps", f"worker 0 took {first} steps")(data)
        rewrite(r"worker 1 took \d+ steps", f"worker 1 took {second} steps")(data)

    return edit


def forget_the_worker(data: Data) -> None:
    """As if no worker had been lost while it trained."""
    without("Restarting")(data)
    rewrite(r"^.*(worker 1 is lost|/job:worker/replica:0/task:1 failed).*\n", "")(data)


def move_the_replacement(minutes: float) -> Edit:
    """The second Pod of the lost worker was made at another time."""

    def edit(data: Data) -> None:
        made = [
            e
            for e in data["objects"]["events"]
            if e["reason"] == "SuccessfulCreate" and "-worker-" in e["involvedObject"]["name"]
        ]
        newest = max(made, key=lambda event: event["lastTimestamp"])
        newest["lastTimestamp"] = _later(newest["lastTimestamp"], minutes=minutes)

    return edit


def several(*edits: Edit) -> Edit:
    return lambda data: [edit(data) for edit in edits]


def other_workers(**more: Any) -> Edit:
    def edit(data: Data) -> None:
        template = own(data)["spec"]["replicaSpecs"][1]["template"]
        template["spec"]["containers"][0].update(more)

    return edit


PLAIN, LOST = "honest/5.1-abbreviated", "honest/6.2-worker-lost"
EDITED = [
    ("the log of a neighbour", PLAIN, rewrite(r"-master-\w{4}-0:", "-master-zz99-0:"),
     "trained.log.other-log"),
    ("a log that never says whose it is", PLAIN, rewrite(r"^.*of the cluster.*\n", ""),
     "trained.log.other-log"),
    ("a status without a runtimeId", PLAIN, lambda d: own(d)["status"].pop("runtimeId"),
     "trained.log.no-id"),
    ("lines in one burst", PLAIN, rewrite(r"^\S+(?= step )", "2026-11-25T20:56:00.000000001Z"),
     "trained.log.too-fast"),
    ("one step line", PLAIN, rewrite(r"^\S+ step (?!500)\d+/.*\n", ""), "trained.log.few-lines"),
    ("carriage returns", PLAIN, rewrite(r"(?<=\d)\n\S+ (?=step )", "\r"),
     "trained.no-steps"),
    ("a loss of nothing", PLAIN, rewrite(r"(step 500/500 loss )\S+", r"\g<1>0.0100"),
     "trained.log.curve"),
    ("an accuracy put after the program's own", PLAIN,
     rewrite(r"^(\S+ )test accuracy .*\n", r"\1test accuracy 0.1000 on 10000 images\n"
             r"\1test accuracy 0.9100 on 10000 images\n"), "trained.log.twice"),
    ("no end", PLAIN, rewrite(r"^.*saved model.*\n", ""), "trained.log.no-end"),
    ("500 steps in the log of a program that was told to take 1", PLAIN,
     each_container(args=["--max-steps", "1"]), "trained.log.not-asked"),
    ("a manifest that is not what the Pod ran", PLAIN, pod_alone(command=["sh", "/x"]),
     "trained.other-command"),
    ("another image in the Pod", PLAIN, pod_alone(image="x"), "trained.other-image"),
    ("other arguments in the Pod", PLAIN, pod_alone(args=["--max-steps", "500", "--seed", "2"]),
     "trained.other-args"),
    ("a variable in the Pod alone", PLAIN,
     pod_alone(env=[{"name": "BASH_FUNC_python%%", "value": "() { x; }"}]),
     "trained.program.code-variable"),
    ("a TfJob that the operator leaves alone", PLAIN,
     lambda d: own(d)["spec"].update(runPolicy={"managedBy": "example.com/me"}),
     "trained.managed-by"),
    ("a library before all others", PLAIN,
     several(each_container(volumeMounts=[{"name": "m", "mountPath": "/etc/ld.so.preload"}]),
             lambda d: own(d)["spec"]["replicaSpecs"][0]["template"]["spec"].update(
                 volumes=[{"name": "m", "configMap": {"name": "m"}}])), "drivers.other"),
    ("a container that has not ended", PLAIN,
     lambda d: chief(d)["status"]["containerStatuses"][0].update(state={"running": {}}),
     "trained.not-ended"),
    ("another image in the workers", LOST, other_workers(image="x/tf-job-operator:1.1.0"),
     "image.other"),
    ("workers that sleep", LOST, other_workers(command=["sleep", "999"]),
     "trained.program.command"),
    ("shares that do not add up", LOST, shares(1000, 918), "workers.sum"),
    ("more shares than steps", LOST, shares(3000, 918), "workers.sum"),
    ("a worker without a share", LOST, rewrite(r"^.*worker 0 took.*\n", ""), "workers.lost"),
    ("no worker lost", LOST, several(forget_the_worker, move_the_replacement(-9)),
     "replaced.too-early"),
    ("a worker deleted after the end", LOST,
     several(forget_the_worker, move_the_replacement(9)), "replaced.too-late"),
    ("words of a loss alone", LOST, several(without("Restarting"), move_the_replacement(9)),
     "replaced.unclear"),
    ("an edited condition alone", LOST,
     several(rewrite(r"^.*(worker 1 is lost|/job:worker/replica:0/task:1 failed).*\n", ""),
             move_the_replacement(9)), "replaced.unclear"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "edit", "told"), [pytest.param(w, e, t, id=i) for i, w, e, t in EDITED]
)
def test_an_edited_world_is_not_done(name, edit, told):
    data = recorded(name)
    number = name.partition("/")[2][:3]
    assert graded(copy.deepcopy(data), number).verdict is Verdict.DONE
    edit(data)
    result = graded(data, number)
    assert said(result) == told, result.finding
    assert result.verdict is not Verdict.DONE


# --- logs without the manifest that gives them away -----------------------------------------


def hidden(data: Data) -> Data:
    """As if the program were the entry point of an image built by hand, under the right name."""
    for container in containers(data):
        container.pop("command", None)
        container["args"] = ["--max-steps", "500"]
    chief(data)["status"]["phase"] = "Succeeded"
    return data


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("5.1-echo-with-sleeps", "trained.log.other-log"),
        ("5.1-one-step-line", "trained.log.other-log"),
        ("5.1-carriage-returns", "trained.no-steps"),
        ("5.1-burst", "trained.log.too-fast"),
        ("5.1-neighbours-log", "trained.log.other-log"),
    ],
)
def test_a_log_alone_tells_it(name, told):
    assert said(graded(hidden(recorded(name)), "5.1")) == told


def test_what_cannot_be_told():
    """README, "What it cannot tell": an image that prints a whole log at its own pace."""
    assert graded(hidden(recorded("5.1-own-runtime-id")), "5.1").verdict is Verdict.DONE


# --- 5.0: the operator ----------------------------------------------------------------------


def deployment(data: Data) -> Data:
    found: Data = data["operator"]["deployments"][0]
    return found


def no_annotations(data: Data) -> None:
    """As `helm template | kubectl apply` leaves it."""
    notes = deployment(data)["metadata"]["annotations"]
    for key in [key for key in notes if key.startswith("meta.helm.sh/")]:
        del notes[key]


def a_deployment_that_sleeps(data: Data) -> None:
    made = deployment(data)["spec"]["template"]["spec"]["containers"][0]
    made.update(image="debian:bookworm-slim", command=["sleep", "infinity"])
    data["operator"]["leases"] = []


OPERATORS = [
    ("a Deployment that sleeps", a_deployment_that_sleeps, "runs.image"),
    ("and has no release", several(a_deployment_that_sleeps, no_annotations,
                                   lambda d: d["operator"].update(helm=[])), "runs.image"),
    ("helm template | kubectl apply", several(
        no_annotations, lambda d: d["operator"].update(helm=[])), "helm.no-release"),
    ("the operator's image that sleeps", lambda d: d["operator"].update(leases=[]), "runs.lease"),
    ("a Lease that nobody renews", lambda d: d["operator"]["leases"][0]["spec"].update(
        renewTime=_later(d["taken"], minutes=-5)), "runs.lease"),
    ("a release that failed", lambda d: d["operator"]["helm"][-1]["metadata"]["labels"].update(
        status="failed"), "helm.failed"),
    ("a Secret of another release", lambda d: [h["metadata"]["labels"].update(name="mine")
                                              for h in d["operator"]["helm"]], "helm.no-release"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "told"), [pytest.param(edit, told, id=words) for words, edit, told in OPERATORS]
)
def test_an_operator_that_is_none_is_not_done(edit, told):
    data = recorded(LOST)
    assert graded(copy.deepcopy(data), "5.0").verdict is Verdict.DONE
    edit(data)
    result = graded(data, "5.0")
    assert said(result) == told, result.finding


# --- honest, and seldom ---------------------------------------------------------------------


def resumed(data: Data) -> None:
    """Its Pod was lost, and the next one went on at step 300."""
    rewrite(r"^(\S+) no checkpoint.*$", r"\1 resuming at step 300 from /tmp/x/ckpt-300")(data)
    rewrite(r"^\S+ step (50|100|150|200|250|300)/.*\n", "")(data)


def earlier_attempt(data: Data) -> None:
    """An older Pod of the same Job, which took all steps and failed."""
    older = copy.deepcopy(chief(data))
    older["metadata"].update(name="older", uid="older", creationTimestamp="2026-01-01T00:00:00Z")
    older["status"]["phase"] = "Failed"
    older["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 143
    data["objects"]["pods"].append(older)
    data["logs"]["older/tensorflow"] = {"head": "x step 500/500 loss 9.0 accuracy 0.1\n"}


def later_pods(data: Data) -> None:
    """24 Pods of other Jobs, made later; not a log of them was read."""
    for number in range(24):
        other = copy.deepcopy(chief(data))
        owner = {"kind": "Job", "name": f"j{number}", "uid": f"j{number}", "controller": True}
        other["metadata"].update(
            name=f"later-{number}",
            uid=f"later-{number}",
            creationTimestamp="2027-01-01T00:00:00Z",
            ownerReferences=[owner],
        )
        data["objects"]["pods"].append(other)


def cut_in_the_middle(data: Data) -> None:
    log = data["logs"][log_key(data)]
    lines = (log["head"] + log["tail"]).splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if " step 150/" in line)
    log.update(head="".join(lines[:at]), tail="".join(lines[at + 3 :]), cut=True)


SELDOM = [
    ("resumed after a retry", PLAIN, resumed),
    ("an earlier attempt", PLAIN, earlier_attempt),
    ("24 later Pods of other Jobs", PLAIN, later_pods),
    ("a log whose middle was cut", PLAIN, cut_in_the_middle),
    ("a worker's steps that were nobody's", LOST, shares(2070, 908)),
    ("the operator gone since", PLAIN, lambda d: d.update(operator={})),
    ("a side-car that runs on", PLAIN, several(
        lambda d: chief(d)["spec"]["containers"].append({"name": "side", "image": "x"}),
        lambda d: chief(d)["status"].update(phase="Running"))),
    ("another version of the image", PLAIN, each_container(
        image="registry.example/a/fashion-mnist:2.0.0")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "edit"), [pytest.param(name, edit, id=words) for words, name, edit in SELDOM]
)
def test_what_is_honest_and_seldom_is_done(name, edit):
    data = recorded(name)
    edit(data)
    result = graded(data, name.partition("/")[2][:3])
    assert result.verdict is Verdict.DONE, result.finding


@pytest.mark.parametrize("kind", ["events", "nodes", "operator configmaps", "operator leases"])
def test_what_may_not_be_read_accuses_nobody(kind):
    data = recorded(PLAIN)
    data["missing"][kind] = {"status": 403, "message": "forbidden"}
    assert graded(data, "5.1").verdict in (Verdict.DONE, Verdict.COULD_NOT_CHECK)


def test_a_worker_that_came_too_late_for_a_step_is_nobodys_fault():
    data = recorded(LOST)
    shares(3000, 0)(data)
    result = graded(data, "6.2")
    assert (result.verdict, said(result)) == (Verdict.COULD_NOT_CHECK, "workers.too-late")
