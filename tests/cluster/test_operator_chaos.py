"""The operator on the real cluster while parts of it die, hang or are taken away.

TFJOB_CHAOS_JOBS sets the number of jobs that are made and deleted at random (24; for a long run,
500).
"""

import os
import random
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from chaos import Chaos, replica, tf_job

JOBS = int(os.environ.get("TFJOB_CHAOS_JOBS", "24"))
STOP_SECONDS = 30
TRIPLE = (replica("MASTER"), replica("WORKER"), replica("PS"))


@pytest.fixture
def chaos(cluster, operator_release, namespace):
    return Chaos(cluster, namespace)


def operator_pods(chaos, release):
    """Names of the operator's Pods that run and are not going."""
    found = Chaos(chaos.cluster, release).get("pods", "-l", "name=tf-job-operator")["items"]
    running = [pod["metadata"] for pod in found if pod["status"].get("phase") == "Running"]
    return [meta["name"] for meta in running if "deletionTimestamp" not in meta]


def test_an_operator_pod_deleted_in_mid_job_changes_nothing(chaos, operator_release):
    chaos.apply(tf_job("j", *TRIPLE))
    chaos.running("j", 3)
    chaos.wait("j", "Running")
    before, pods = chaos.children("j"), set(chaos.pods("j"))
    old = operator_pods(chaos, operator_release)
    chaos.cluster.kubectl("-n", operator_release, "delete", "pod", *old, "--wait=false")
    chaos.end(chaos.pods("j", "MASTER")[0], 0)
    chaos.wait("j", "Succeeded")
    assert operator_pods(chaos, operator_release) != old
    after = chaos.children("j")
    assert set(after.items()) <= set(before.items())
    everything = chaos.get("pods", "-l", "tf_job_name=j")["items"]
    assert {pod["metadata"]["name"] for pod in everything} <= pods


def test_an_api_server_that_hangs_for_half_a_minute_loses_nothing(chaos):
    chaos.apply(
        tf_job("j", replica("MASTER", program="import time; time.sleep(15)"), replica("PS"))
    )
    chaos.running("j", 2)
    with chaos.stopped("kube-apiserver"):
        time.sleep(STOP_SECONDS)
    chaos.wait("j", "Succeeded", seconds=120)
    chaos.apply(tf_job("later", replica("MASTER", program="pass")))
    chaos.wait("later", "Succeeded", seconds=120)
    chaos.until(lambda: not chaos.pods("j"))


def test_a_kubelet_that_hangs_delays_the_job_and_no_more(chaos):
    chaos.apply(tf_job("j", replica("MASTER", program="import time; time.sleep(6)")))
    chaos.running("j", 1)
    with chaos.stopped("kubelet"):
        time.sleep(10)
    chaos.wait("j", "Succeeded", seconds=120)
    assert len(chaos.get("pods", "-l", "tf_job_name=j")["items"]) == 1


def test_a_drained_node_costs_no_attempt(chaos):
    chaos.apply(tf_job("j", replica("MASTER"), replica("PS"), runPolicy={"backoffLimit": 0}))
    chaos.running("j", 2)
    node = chaos.get("nodes")["items"][0]["metadata"]["name"]
    drain = ("drain", node, "--pod-selector=tf_job_name=j", "--force", "--delete-emptydir-data")
    try:
        chaos.kubectl(*drain, "--ignore-daemonsets", "--timeout=60s")
    finally:
        chaos.kubectl("uncordon", node)
    chaos.running("j", 2)
    chaos.end(chaos.pods("j", "MASTER")[0], 0)
    chaos.wait("j", "Succeeded")


ENDS = [(role, code) for role in ("MASTER", "WORKER", "PS") for code in (1, 137, 143)]


@pytest.fixture(scope="module")
def killed(cluster, operator_release):
    """Nine jobs at once, in each of which one replica ended with one code: their last status."""
    cluster.kubectl("create", "namespace", "chaos-exit-codes")
    chaos = Chaos(cluster, "chaos-exit-codes")
    try:
        chaos.apply(*(tf_job(job_of(*end), *TRIPLE) for end in ENDS))
        for end in ENDS:
            chaos.running(job_of(*end), 3)
        for role, code in ENDS:
            chaos.end(chaos.pods(job_of(role, code), role)[0], code)
        for role, code in ENDS:
            if code > 127:
                chaos.running(job_of(role, code), 3)
                chaos.end(chaos.pods(job_of(role, code), "MASTER")[0], 0)
        yield {end: last_status(chaos, job_of(*end)) for end in ENDS}
    finally:
        cluster.kubectl("delete", "namespace", "chaos-exit-codes", "--wait=false")


def job_of(role, code):
    return f"{role.lower()}-{code}"


def last_status(chaos, name):
    return chaos.until(lambda: (s := chaos.status(name))["phase"] in ("Done", "Failed") and s)


@pytest.mark.parametrize(("role", "code"), ENDS)
def test_an_exit_code_up_to_127_ends_the_job_and_a_signal_does_not(killed, role, code):
    status = killed[role, code]
    if code == 1:
        assert (status["phase"], status["state"]) == ("Failed", "Failed")
        assert "exited with code 1" in status["reason"] or "exit code 1" in status["reason"]
    else:
        assert (status["phase"], status["state"]) == ("Done", "Succeeded")


def test_a_deleted_namespace_takes_its_jobs_and_leaves_the_operator_well(chaos, operator_release):
    cluster, going = chaos.cluster, f"{chaos.namespace}-going"
    cluster.kubectl("create", "namespace", going)
    other = Chaos(cluster, going)
    other.apply(*(tf_job(f"j{i}", *TRIPLE) for i in range(2)))
    other.running("j0", 3)
    cluster.kubectl("delete", "namespace", going, "--timeout=300s")
    chaos.apply(tf_job("later", replica("MASTER", program="pass")))
    chaos.wait("later", "Succeeded")
    log = cluster.kubectl(
        "-n", operator_release, "logs", "deploy/tf-job-operator", "--tail=-1"
    ).stdout
    assert "Traceback" not in log


def test_jobs_made_and_deleted_at_random_leave_nothing_over(chaos):
    dice = random.Random(7)
    alive, number = [], 0
    while number < JOBS or alive:
        if number < JOBS and (not alive or dice.random() < 0.6):
            batch = [f"r{number + i}" for i in range(min(4, JOBS - number))]
            number += len(batch)
            nap = f"import time; time.sleep({dice.uniform(0, 2):.2f})"
            roles = [replica("MASTER", program=nap), replica("PS")][: dice.choice([1, 2])]
            chaos.apply(*(tf_job(name, *roles) for name in batch))
            alive += batch
        else:
            gone = dice.sample(alive, min(len(alive), dice.randint(1, 4)))
            chaos.kubectl("delete", "tfjob", *gone, "--wait=false")
            alive = [name for name in alive if name not in gone]
        time.sleep(dice.uniform(0, 1))
    chaos.until(lambda: not chaos.left_over())


def test_a_whole_life_needs_no_right_but_those_of_the_cluster_role(chaos, operator_release):
    board = {"logDir": "/exchange"}
    chaos.apply(
        tf_job(
            "j",
            *TRIPLE,
            tensorboard=board,
            tfImage="none",
            runPolicy={"ttlSecondsAfterFinished": 3},
        )
    )
    chaos.running("j", 3)
    chaos.end(chaos.pods("j", "MASTER")[0], 0)
    chaos.kubectl("wait", "tfjob/j", "--for=delete", "--timeout=300s")
    chaos.until(lambda: not chaos.left_over())
    log = chaos.cluster.kubectl(
        "-n", operator_release, "logs", "deploy/tf-job-operator", "--tail=-1"
    )
    # As RBAC says no. (A namespace on its way out says "forbidden" too, to anybody.)
    assert '" cannot ' not in log.stdout
    account = f"--as=system:serviceaccount:{operator_release}:tf-job-operator"
    for verb, what in (
        ("get", "secrets"),
        ("create", "pods"),
        ("update", "jobs"),
        ("list", "nodes"),
    ):
        answer = chaos.kubectl("auth", "can-i", verb, what, account, check=False)
        assert answer.stdout.strip() == "no"
