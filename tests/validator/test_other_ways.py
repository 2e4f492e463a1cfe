"""What learners do in another way than the pages say, or later: recorded worlds with one change."""

import copy

import pytest

from tests.validator.recorded_worlds import recorded, the, without_gpus
from validator import actions
from validator.engine import EXERCISES, grade_one
from validator.snapshot import Snapshot, name_of
from validator.verdicts import Verdict


def world(title, *changes):
    data = copy.deepcopy(recorded(title))
    for change in changes:
        change(data)
    return data


def graded(data, number):
    return grade_one(Snapshot(data), EXERCISES[number])


def pod_specs(data, prefix):
    """The specs of all Pods, and of all templates of Pods, of what has such a name."""
    for kind in ("tfjobs", "jobs", "pods", "deployments"):
        for item in data["objects"].get(kind, []):
            if name_of(item).startswith(prefix):
                for each in item["spec"].get("replicaSpecs") or [item["spec"]]:
                    yield each["template"]["spec"] if "template" in each else each


FOLDER = "/usr/share/datasets/fashion-mnist"


@pytest.mark.parametrize(
    "change",
    [
        {
            "command": ["python", "-m", "http.server", "$(PORT)", "--directory", FOLDER],
            "env": [{"name": "PORT", "value": "8080"}],
        },
        {"command": ["sh", "-c", f"cd {FOLDER}; python -m http.server 8080; echo ended"]},
        {"command": ["sh", "-c", f"cd {FOLDER}; python -m http.server 8080&\nwait"]},
        {
            "command": [
                "sh",
                "-c",
                f"exec python -m http.server \\\n  --directory {FOLDER} \\\n  8080",
            ]
        },
        {
            "command": ["sh", "-c", f"cd {FOLDER}; python -m http.server $PORT"],
            "env": [{"name": "PORT", "value": "8080"}],
        },
        {"command": ["sh", "-c", "python /srv/list.py"], "ports": []},
    ],
)
def test_a_server_whose_port_is_written_in_another_way_is_right(change):
    data = world("2.2-solution")
    for spec in pod_specs(data, "module2-ex2"):
        spec["containers"][0].update(copy.deepcopy(change))
    grade = graded(data, "2.2")
    assert grade.verdict is Verdict.DONE, (grade.finding.found, grade.finding.fix)


@pytest.mark.parametrize(
    ("amount", "cause"),
    [("0", "memory.zero"), ("0Mi", "memory.zero"), (0, "memory.zero"), ("2e9", ""), ("2G", "")],
)
def test_a_limit_of_memory_is_one_if_it_is_not_zero(amount, cause):
    data = world("2.1-solution")
    for spec in pod_specs(data, "module2-ex1"):
        spec["containers"][0]["resources"] = {"limits": {"memory": amount}}
    grade = graded(data, "2.1")
    assert (grade.verdict is Verdict.DONE) == (not cause)
    assert cause in (grade.finding.id if grade.finding else "")


def test_a_rollout_that_does_not_come_to_its_end_is_not_done():
    data = world("9.1-solution")
    made = the(data, "deployments", "module9-ex1")
    image = made["spec"]["template"]["spec"]["containers"][0]["image"] = (
        "localhost/fashion-mnist:1.2.1"
    )
    # As the controller writes it: the old Pod stands, the new one does not start.
    made["status"].update(replicas=2, updatedReplicas=1, readyReplicas=1, unavailableReplicas=1)
    (progress,) = (c for c in made["status"]["conditions"] if c["type"] == "Progressing")
    progress.update(reason="ReplicaSetUpdated", message='ReplicaSet "x" is progressing.')
    replica_set, pod = (
        copy.deepcopy(
            next(i for i in data["objects"][kind] if name_of(i).startswith("module9-ex1-"))
        )
        for kind in ("replicasets", "pods")
    )
    moment = data["taken"][:19] + "Z"
    replica_set["metadata"].update(name="module9-ex1-new", uid="new", creationTimestamp=moment)
    pod["metadata"].update(name="module9-ex1-new-abcde", uid="pod", creationTimestamp=moment)
    pod["metadata"]["ownerReferences"][0]["uid"] = "new"
    pod["spec"]["containers"][0]["image"] = image
    message = f'Container image "{image}" is not present with pull policy of Never'
    pod["status"] = {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [
            {
                "name": "server",
                "ready": False,
                "state": {"waiting": {"reason": "ErrImageNeverPull", "message": message}},
            }
        ],
    }
    data["objects"]["replicasets"].append(replica_set)
    data["objects"]["pods"].append(pod)
    assert graded(data, "9.1").verdict is not Verdict.DONE


@pytest.mark.parametrize("number", ["2.1", "3.1", "3.2"])
def test_a_job_that_has_succeeded_and_was_deleted_is_known_by_its_event(number):
    data = world(f"{number}-solution")
    data["objects"].update(jobs=[], pods=[])
    data["logs"] = {}
    assert graded(data, number).finding.id == "exists.deleted"


@pytest.mark.parametrize("title", ["7.2-nothing-made", "7.2-unmarked"])
def test_on_a_cluster_without_gpus_the_search_asks_for_none(title):
    grade = graded(world(title, without_gpus), "7.2")
    (command,) = (step for step in grade.finding.fix if step.startswith("$ python "))
    assert "--no-gpu" in command


@pytest.mark.parametrize("title", ["8.3-old-home", "8.3-not-started"])
def test_on_a_cluster_without_gpus_the_hub_starts_a_plain_server(title):
    grade = graded(world(title, without_gpus), "8.3")
    (command,) = (step for step in grade.finding.fix if "hub.sh start" in step)
    assert " start learner1 plain" in command


def test_reset_removes_every_container_of_the_image_before_the_image():
    data = world("1.1-other-name")
    commands = actions.reset_commands(Snapshot(data), [EXERCISES["1.1"]], False)
    assert commands == [
        ["docker", "rm", "--force", "training"],
        ["docker", "rmi", "localhost/module1-ex1:v1"],
    ]


def test_a_loss_that_rises_by_a_learning_rate_gets_the_hint_of_the_learning_rate():
    data = world("5.1-solution")
    for spec in pod_specs(data, "module5-ex1"):
        main = spec["containers"][0]
        main["args"] = [*main.get("args", []), "--learning-rate", "10"]
    for log in data["logs"].values():
        lines = log["head"].split("\n")
        log["head"] = "\n".join(
            " ".join([*line.split(" ")[:4], "nan", "accuracy", "0.1000"])
            if " step " in line and " loss " in line
            else line
            for line in lines
        )
    assert "--learning-rate" in " ".join(graded(data, "5.1").finding.fix)


def test_a_folder_of_the_node_that_is_no_drivers_is_the_learners_business():
    data = world("5.1-solution")
    for spec in pod_specs(data, "module5-ex1"):
        spec.setdefault("volumes", []).append({"name": "d", "hostPath": {"path": "/tmp/data"}})
        mounts = spec["containers"][0].setdefault("volumeMounts", [])
        mounts.append({"name": "d", "mountPath": "/data"})
    finding = graded(data, "5.1").finding
    assert finding is None or finding.id != "host-mounts.by-hand", finding.found


def test_a_training_that_mounts_a_folder_of_its_own_beside_the_drivers_is_right():
    data = world("3.1-solution")
    for spec in pod_specs(data, "module3-ex1"):
        spec["volumes"].append({"name": "d", "hostPath": {"path": "/tmp/data"}})
    assert graded(data, "3.1").verdict is Verdict.DONE


def test_a_server_that_waits_for_a_gpu_of_a_cluster_without_any_is_started_again_without():
    data = world("8.3-solution", without_gpus)
    (server,) = (p for p in data["objects"]["pods"] if name_of(p).startswith("jupyter-"))
    server["spec"].pop("nodeName", None)
    message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    server["status"] = {"phase": "Pending", "conditions": [{**unscheduled, "message": message}]}
    fix = graded(data, "8.3").finding.fix
    assert " stop learner1" in fix[-2]
    assert " start learner1 plain" in fix[-1]


@pytest.mark.parametrize("said", [True, False])
def test_an_hour_after_its_load_was_deleted_a_server_that_was_scaled_is_still_done(said):
    """Its autoscaler says when it scaled last; only events say in which direction."""
    data = world("9.2-solution")
    data["taken"] = "2026-11-26T12:50:00Z"
    (scaler,) = data["objects"]["horizontalpodautoscalers"]
    about = {"kind": "HorizontalPodAutoscaler", "uid": scaler["metadata"]["uid"]}
    down = {"involvedObject": about, "reason": "SuccessfulRescale", "message": "New size: 1"}
    data["objects"]["events"] = [{"metadata": {"name": "e"}, **down}] if said else []
    scaler["status"]["lastScaleTime"] = "2026-11-26T11:44:06Z"
    jobs = data["objects"]["jobs"]
    data["objects"]["jobs"] = [job for job in jobs if "load" not in name_of(job)]
    assert (graded(data, "9.1").verdict is Verdict.DONE) is not said
