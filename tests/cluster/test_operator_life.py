"""The operator's life on the real cluster, installed by its chart as the workshop says.

Training is left to the pages: that of module 5 runs both manifests of 2017 to their end. Most Pods
here are a line of Python in the operator's own image, which is small and always there.
"""

import json
import time
from pathlib import Path

import pytest

IMAGE = "localhost/tf-job-operator:1.1.0"
GPU = "alpha.kubernetes.io/nvidia-gpu"
LABELLED = {"metadata": {"labels": {"team": "vision"}}}
FOR_EVER = "import time; time.sleep(9999)"
UNTIL_TOLD = """
import os, time
while not os.path.exists("/tmp/end"):
    time.sleep(0.1)
time.sleep(1)  # so that the replica that asked ends first
raise SystemExit(1)
"""
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def replica(kind, program="pass", **more):
    """One replica spec whose Pods run one line of Python; ``container`` adds to its container."""
    container = {
        "name": "tensorflow",
        "image": IMAGE,
        "command": ["/usr/bin/python3.11", "-c", program],
        "securityContext": RESTRICTED,
        **more.pop("container", {}),
    }
    template = {"spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    return {"tfReplicaType": kind, "template": template, **more}


class Lab:
    """One namespace of the real cluster."""

    def __init__(self, cluster, namespace):
        self.cluster, self.namespace = cluster, namespace

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, **options)

    def apply(self, *replicas, name="mnist", check=True, **spec):
        body = {
            "apiVersion": "tensorflow.org/v1alpha1",
            "kind": "TfJob",
            "metadata": {"name": name},
            "spec": {"replicaSpecs": list(replicas), **spec},
        }
        return self.kubectl("apply", "-f", "-", input=json.dumps(body), check=check)

    def wait(self, condition, what="tfjob/mnist", seconds=300):
        wanted = f"--for=condition={condition}"
        self.kubectl("wait", wanted, what, f"--timeout={seconds}s", timeout=seconds + 10)

    def get(self, *what):
        found = json.loads(self.kubectl("get", *what, "-o", "json").stdout)
        return found["items"] if found["kind"] == "List" else found

    def status(self, name="mnist"):
        return self.get("tfjob", name).get("status", {})

    def condition(self, kind):
        conditions = self.status().get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def until(self, question, seconds=240):
        """The first true answer to a question that is asked twice a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if answer := question():
                return answer
            time.sleep(0.5)
        return pytest.fail(f"not within {seconds} s; the status is {self.status()}")

    def children(self, kinds="job,service,pod,configmap,deployment"):
        return [
            f"{each['kind']}/{each['metadata']['name']}"
            for each in self.get(kinds, "--selector=tensorflow.org")
        ]


@pytest.fixture
def lab(cluster, operator_release, namespace):
    return Lab(cluster, namespace)


@pytest.fixture
def restricted(lab):
    """A namespace in which Pod Security lets nothing but "restricted" in."""
    lab.kubectl(
        "label", "namespace", lab.namespace, "pod-security.kubernetes.io/enforce=restricted"
    )
    return lab


def test_each_replica_is_told_who_it_is_and_can_be_reached_by_its_name(lab):
    ask = (
        "import json, os, socket, time\n"
        "told = json.loads(os.environ['TF_CONFIG'])\n"
        "for kind in told['cluster'].values():\n"
        "    for address in kind:\n"
        "        for _ in range(100):\n"
        "            try:\n"
        "                socket.gethostbyname(address.split(':')[0]); break\n"
        "            except OSError: time.sleep(0.2)\n"
        "        else: raise SystemExit(3)\n"
        "print(os.environ['TF_CONFIG'])\n"
    )
    lab.apply(replica("MASTER", ask), replica("WORKER", FOR_EVER, replicas=2), RuntimeId="76no")
    lab.wait("Succeeded")
    assert json.loads(lab.kubectl("logs", "job/mnist-master-76no-0").stdout) == {
        "cluster": {
            "master": ["mnist-master-76no-0:2222"],
            "worker": ["mnist-worker-76no-0:2222", "mnist-worker-76no-1:2222"],
        },
        "task": {"type": "master", "index": 0},
        "environment": "cloud",
    }


def test_after_the_end_only_what_has_ended_is_left_with_its_log(lab):
    lab.apply(replica("MASTER", "print('trained')"), replica("WORKER", FOR_EVER), RuntimeId="76no")
    lab.wait("Succeeded")
    lab.until(lambda: lab.status().get("phase") == "Done")
    lab.until(lambda: len(lab.get("pods")) == 1)
    assert lab.kubectl("logs", "job/mnist-master-76no-0").stdout == "trained\n"
    assert "Job/mnist-worker-76no-0" not in lab.children()


def test_an_accelerator_brings_the_nodes_drivers_into_the_child_and_not_into_the_tfjob(lab):
    look = "import os; print(os.environ['LD_LIBRARY_PATH'], len(os.listdir('/usr/lib/nvidia')) > 0)"
    resources = {"resources": {"limits": {GPU: 1}}}
    lab.apply(replica("MASTER", look, container=resources), RuntimeId="76no")
    lab.wait("Succeeded")
    pod = lab.get("job", "mnist-master-76no-0")["spec"]["template"]["spec"]
    assert {v["name"]: v["hostPath"]["path"] for v in pod["volumes"]} == {
        "tfjob-lib": "/usr/lib/nvidia-384",
        "tfjob-bin": "/usr/lib/nvidia-384/bin",
        "tfjob-libcuda": "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
    }
    assert all(mount["readOnly"] for mount in pod["containers"][0]["volumeMounts"])
    assert lab.kubectl("logs", "job/mnist-master-76no-0").stdout == (
        "/usr/lib/nvidia:/usr/lib/x86_64-linux-gnu True\n"
    )
    template = lab.get("tfjob", "mnist")["spec"]["replicaSpecs"][0]["template"]
    assert "volumes" not in template["spec"]
    assert "env" not in template["spec"]["containers"][0]


def test_a_job_of_60_workers_is_one_indexed_job_and_its_tf_config_is_that_of_2017(lab):
    look = (
        "import json, os, socket, time; told = json.loads(os.environ['TF_CONFIG'])\n"
        "task = told['task']; own = told['cluster'][task['type']][task['index']].split(':')[0]\n"
        "print(socket.gethostname() == own, task['index'], flush=True)\n"
        "time.sleep(9999)\n"
    )
    patient = (
        "import json, os, socket, time\n"
        "names = json.loads(os.environ['TF_CONFIG'])['cluster']['worker']\n"
        "def found(name):\n"
        "    try: return socket.gethostbyname(name.split(':')[0])\n"
        "    except OSError: return None\n"
        "while not all(map(found, names)): time.sleep(1)\n"
    )
    small = {"resources": {"requests": {"cpu": "1m", "memory": "8Mi"}}}
    workers = replica("WORKER", look, replicas=60, container=small)
    kept = {"cleanPodPolicy": "None"}  # the chief may end before the last worker has said something
    lab.apply(replica("MASTER", patient), workers, RuntimeId="76no", runPolicy=kept)
    lab.until(lambda: lab.status().get("replicas") == "61/61" or lab.condition("Succeeded"), 500)
    last = "--selector=job_type=WORKER,batch.kubernetes.io/job-completion-index=59"
    assert lab.until(lambda: lab.kubectl("logs", last).stdout) == "True 59\n"
    lab.wait("Succeeded", seconds=500)
    jobs = [each["metadata"]["name"] for each in lab.get("jobs")]
    assert sorted(jobs) == ["mnist-master-76no-0", "mnist-worker-76no"]


def test_a_gang_starts_together_or_not_at_all(lab, operator_release):
    where = ("--namespace", operator_release, "--reuse-values", "--wait")
    on = ("helm", "upgrade", "tf-job", "operator/chart", *where)
    lab.cluster.run(*on, "--set", "gangScheduling=kubernetes", timeout=400)
    try:
        ask = {"resources": {"limits": {"nvidia.com/gpu": 3}}}
        lab.apply(replica("MASTER", container=ask), replica("WORKER", container=ask))
        lab.until(lambda: lab.get("podgroups"))
        # The scheduler may speak of the worker's Pod first.
        lab.until(lambda: "MASTER 0" in lab.condition("Waiting").get("message", ""))
        assert {pod["status"]["phase"] for pod in lab.get("pods")} == {"Pending"}
        lab.apply(replica("MASTER"), replica("WORKER"), name="small")
        lab.wait("Succeeded", "tfjob/small")
    finally:
        lab.cluster.run(*on, "--set", "gangScheduling=", timeout=400)


def test_the_templates_of_a_suspended_job_may_change_as_kueue_does_it(lab):
    lab.apply(replica("MASTER", FOR_EVER), runPolicy={"suspend": True})
    lab.wait("Suspended")
    admitted = replica("MASTER", "print('admitted')")
    admitted["template"]["spec"]["nodeSelector"] = {"kubernetes.io/os": "linux"}
    lab.apply(admitted, runPolicy={"suspend": False})
    lab.wait("Succeeded")
    (pod,) = lab.get("pods")
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}


def test_kubectl_scale_changes_the_number_of_workers(lab):
    master = replica("MASTER", FOR_EVER)
    lab.apply(master, replica("WORKER", FOR_EVER, replicas=1), enableDynamicWorker=True)
    lab.wait("Running")
    lab.kubectl("scale", "tfjob/mnist", "--replicas=2")
    lab.until(lambda: lab.status().get("workers") == 2)
    lab.until(lambda: len(lab.get("pods", "--selector=job_type=WORKER")) == 2)


def test_a_chief_that_fails_fails_the_job_with_its_exit_code_in_the_reason(lab):
    lab.apply(replica("MASTER", "raise SystemExit(3)"))
    lab.wait("Failed")
    status = lab.status()
    assert (status["phase"], status["state"]) == ("Failed", "Failed")
    assert "exited with code 3" in status["reason"]
    columns = lab.kubectl("get", "tfjobs").stdout
    assert columns.split()[:5] == ["NAME", "STATE", "PHASE", "REPLICAS", "AGE"]
    events = lab.kubectl("get", "events", "--field-selector=reason=ReplicaFailed").stdout
    assert "tfjob/mnist" in events


def test_an_invalid_template_fails_at_once_in_the_api_servers_own_words(lab):
    lab.apply(replica("MASTER", container={"imagee": "typo"}))
    lab.wait("Failed")
    reason = lab.status()["reason"]
    assert reason.startswith("InvalidTemplate: ")
    assert 'unknown field "spec.template.spec.containers[0].imagee"' in reason


def test_the_wide_columns_fit_a_terminal_and_explain_says_what_a_field_is(lab):
    bad = replica("MASTER", container={"args": [500]})
    lab.apply(bad)
    lab.wait("Failed")
    assert len(lab.status()["reason"]) > 80
    lines = lab.kubectl("get", "tfjobs", "--output=wide").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "InvalidTemplate" in lines[1].split()
    for field in ("spec.replicaSpecs.tfReplicaType", "status.phase"):
        assert "<empty>" not in lab.kubectl("explain", f"tfjob.{field}").stdout


def test_a_template_thousands_of_levels_deep_fails_its_own_job_and_stops_no_other(lab):
    master = replica("MASTER")
    master["template"]["spec"]["nodeSelector"] = "DEEP"
    deep = '{"a":' * 3000 + "1" + "}" * 3000  # deeper than json.dumps goes
    body = {"apiVersion": "tensorflow.org/v1alpha1", "kind": "TfJob", "metadata": {"name": "deep"}}
    text = json.dumps({**body, "spec": {"replicaSpecs": [master]}}).replace('"DEEP"', deep)
    lab.kubectl("create", "-f", "-", input=text)
    lab.apply(replica("MASTER"), name="good")
    lab.wait("Succeeded", "tfjob/good")
    lab.wait("Failed", "tfjob/deep")


def uids(objects):
    return {each["metadata"]["uid"] for each in objects}


def test_a_deleted_tfjob_leaves_nothing(lab):
    lab.apply(
        replica("MASTER", FOR_EVER),
        {"tfReplicaType": "PS"},
        tensorboard={"logDir": "/tmp/logs"},
        tfImage=IMAGE,
    )
    lab.until(lambda: len(lab.children("job,service,configmap,deployment")) == 7)
    lab.kubectl("delete", "tfjob", "mnist")
    lab.until(lambda: lab.children() == [])


def test_default_ps_and_tensorboard_run_where_pod_security_is_restricted(restricted):
    restricted.apply(
        replica("MASTER", FOR_EVER, container={"securityContext": {**RESTRICTED, "runAsUser": 5}}),
        {"tfReplicaType": "PS"},
        tensorboard={"logDir": "/tmp/logs"},
        RuntimeId="76no",
    )
    restricted.until(lambda: restricted.get("pods", "--selector=job_type=PS"))
    restricted.wait("Available", "deployment/mnist-tensorboard-76no")
    restricted.until(lambda: restricted.status().get("replicas") == "2/2")
    board, both = "--selector=app=tensorboard", "service,deployment"
    old = uids(restricted.get(both, board))
    assert len(old) == 2
    restricted.kubectl("delete", both, board)
    restricted.until(lambda: len(uids(restricted.get(both, board)) - old) == 2)


def test_what_somebody_changes_by_hand_is_named_until_it_is_made_again(lab):
    lab.apply(
        replica("MASTER", FOR_EVER),
        {"tfReplicaType": "PS"},
        replica("WORKER", FOR_EVER, layout="Indexed"),
        tensorboard={"logDir": "/tmp/logs"},
        RuntimeId="76no",
    )
    lab.until(lambda: lab.condition("TensorBoardReady").get("status") == "True")
    lab.until(lambda: lab.status().get("replicas") == "3/3")
    for suspend in (True, False):  # the operator's own changes are nobody else's
        body = json.dumps({"spec": {"runPolicy": {"suspend": suspend}}})
        lab.kubectl("patch", "tfjob/mnist", "--type=merge", f"--patch={body}")
        lab.wait("Suspended" if suspend else "Running")
    lab.until(lambda: lab.status().get("replicas") == "3/3")
    assert lab.condition("Altered").get("status") != "True"
    changes = {
        "Service mnist-master-76no-0": ("spec.selector", {"selector": {"job_type": "none"}}),
        "Deployment mnist-tensorboard-76no": ("spec.template", {"template": LABELLED}),
        "Job mnist-worker-76no": ("spec.suspend", {"suspend": True}),
        "ConfigMap cm-ps-76no": ("data.more", None),
    }
    for which, (_, spec) in changes.items():
        body = json.dumps({"spec": spec} if spec else {"data": {"more": "lines"}})
        lab.kubectl("patch", *which.lower().split(), "--type=merge", f"--patch={body}")
    for which, (field, _) in changes.items():
        named = f"{which}: kubectl-patch changed {field}"
        lab.until(lambda named=named: named in lab.condition("Altered").get("message", ""))
    lab.until(lambda: lab.condition("Waiting").get("reason") == "JobSuspended")
    assert "mnist-worker-76no" in lab.condition("Waiting")["message"]
    for which in changes:
        lab.kubectl("delete", *which.lower().split())
    lab.until(lambda: lab.condition("Altered")["status"] == "False")
    lab.until(lambda: lab.status().get("replicas") == "3/3")
    assert lab.condition("Waiting")["status"] == "False"


def test_a_pod_that_pod_security_refuses_is_told_as_a_condition(restricted):
    resources = {"resources": {"limits": {GPU: 1}}}
    restricted.apply(replica("MASTER", container=resources))
    # Before that, it says that the children are being created.
    restricted.until(lambda: restricted.condition("Created").get("reason") == "FailedCreate")
    created = restricted.condition("Created")
    assert created["status"] == "False"
    assert "hostPath" in created["message"]


def test_a_quota_is_told_as_a_condition_and_the_job_goes_on_when_it_is_lifted(lab):
    lab.kubectl("create", "quota", "none", "--hard=count/jobs.batch=0")
    lab.until(lambda: lab.get("quota", "none").get("status", {}).get("hard"))
    lab.apply(replica("MASTER"))
    lab.until(lambda: "exceeded quota" in lab.condition("Created").get("message", ""))
    lab.kubectl("delete", "quota", "none")
    lab.wait("Succeeded")


def test_a_suspended_job_holds_no_pod_and_goes_on_when_resumed(lab):
    lab.apply(replica("MASTER", FOR_EVER), RuntimeId="76no")
    lab.wait("Running")
    lab.apply(replica("MASTER", FOR_EVER), RuntimeId="76no", runPolicy={"suspend": True})
    lab.wait("Suspended")
    lab.until(lambda: lab.get("pods") == [])
    lab.apply(replica("MASTER", FOR_EVER), RuntimeId="76no", runPolicy={"suspend": False})
    lab.wait("Running")
    assert lab.condition("Suspended")["status"] == "False"


def test_deadline_and_ttl_end_and_remove_a_job(lab):
    policy = {"activeDeadlineSeconds": 5, "ttlSecondsAfterFinished": 30}
    lab.apply(replica("MASTER", FOR_EVER), runPolicy=policy)
    lab.wait("Failed")
    assert lab.status()["reason"].startswith("DeadlineExceeded")
    lab.kubectl("wait", "tfjob/mnist", "--for=delete", "--timeout=60s")
    lab.until(lambda: lab.children() == [])


def test_workers_come_and_go_where_their_number_may_change(lab):
    def scaled(count, check=True, **more):
        workers = replica("WORKER", FOR_EVER, replicas=count, **more)
        both = replica("MASTER", FOR_EVER), workers
        return lab.apply(*both, enableDynamicWorker=True, check=check)

    scaled(1)
    lab.until(lambda: lab.status().get("replicas") == "2/2")
    scaled(3)
    lab.until(lambda: lab.status().get("replicas") == "4/4")
    scaled(2)
    lab.until(lambda: len(lab.get("jobs")) == 3)
    lab.until(lambda: lab.status().get("replicas") == "3/3")
    refused = lab.kubectl("scale", "tfjob/mnist", "--replicas=1001", check=False)
    assert "should be less than or equal to 1000" in refused.stderr
    refused = scaled(2, layout="Indexed", check=False)
    assert "spec.replicaSpecs cannot be changed once the job is made" in refused.stderr


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        pytest.param([replica("worker")], 'Unsupported value: "worker"', id="an unknown type"),
        pytest.param([replica("MASTER")] * 2, "Duplicate value", id="a type twice"),
        pytest.param(
            [replica("MASTER", tfPort=70000)], "less than or equal to 65535", id="no such port"
        ),
        pytest.param(
            [replica("MASTER"), replica("WORKER", replicas=-1)],
            "greater than or equal to 0",
            id="-1",
        ),
        pytest.param([replica("MASTER", replicas="2")], "must be of type integer", id="a string"),
    ],
)
def test_the_api_server_refuses(lab, spec, sentence):
    refused = lab.apply(*spec, check=False)
    assert refused.returncode != 0
    assert sentence in refused.stderr


def test_what_cannot_take_effect_is_refused_with_a_sentence(lab):
    lab.apply(replica("MASTER", FOR_EVER))
    refused = lab.apply(replica("MASTER", "pass"), check=False)
    assert "spec.replicaSpecs cannot be changed once the job is made" in refused.stderr
    refused = lab.apply(replica("MASTER", FOR_EVER), tfImage="other", check=False)
    assert "delete the TfJob and create it again" in refused.stderr
    ps = {"tfReplicaType": "PS", "replicas": 1000}
    workers = replica("WORKER", replicas=2)
    most = {"enableDynamicWorker": True, "runPolicy": {"suspend": True}}
    lab.apply(replica("MASTER"), workers, ps, name="most", **most)
    lab.kubectl("scale", "tfjob/most", "--replicas=999")
    refused = lab.kubectl("scale", "tfjob/most", "--replicas=1000", check=False)
    assert "more than 2000 replicas of all types together" in refused.stderr
    for field in ({"managedBy": "another/one"}, {"schedulingPolicy": {"queue": "q"}}):
        refused = lab.apply(replica("MASTER", FOR_EVER), runPolicy=field, check=False)
        assert f"runPolicy.{next(iter(field))}" in refused.stderr


def test_what_was_made_of_a_refused_template_goes_when_it_is_made_good(lab):
    typo = replica("WORKER", container={"imagee": IMAGE})
    lab.apply(replica("MASTER", "raise SystemExit(1)"), typo, runPolicy={"cleanPodPolicy": "None"})
    lab.wait("Failed")
    assert "imagee" in lab.status()["reason"]
    lab.until(lambda: uids(lab.get("jobs")))
    lab.apply(replica("MASTER"), replica("WORKER"), runPolicy={"cleanPodPolicy": "None"})
    lab.wait("Succeeded")
    assert len(lab.get("jobs")) == 2


def test_what_would_try_again_after_the_end_does_not_and_its_log_stays(lab):
    told = "print('what went wrong'); raise SystemExit(137)"
    lab.apply(replica("MASTER", UNTIL_TOLD), replica("WORKER", told), RuntimeId="76no")
    attempts = "--selector=job_type=WORKER"
    read = ("get", "pods", attempts, "--output=jsonpath={.items[*].status.phase}")
    # The third attempt is due in twenty seconds, and begins before the end on a slow machine.
    lab.until(lambda: lab.kubectl(*read).stdout.split().count("Failed") >= 2)
    chief = lab.get("pods", "--selector=job_type=MASTER")[0]["metadata"]["name"]
    lab.kubectl("exec", chief, "--", "/usr/bin/python3.11", "-c", "open('/tmp/end', 'w')")
    lab.wait("Failed")
    lab.until(lambda: lab.get("job", "mnist-worker-76no-0")["spec"]["suspend"])
    lab.until(lambda: set(lab.kubectl(*read).stdout.split()) == {"Failed"})
    assert "what went wrong" in lab.kubectl("logs", "job/mnist-worker-76no-0").stdout


def test_an_invalid_spec_may_be_made_good(lab):
    lab.apply(replica("WORKER"))
    lab.wait("Failed")
    assert lab.status()["reason"].startswith("InvalidSpec: ")
    lab.apply(replica("WORKER"), replica("MASTER"))
    lab.wait("Succeeded")


def test_helm_test_names_what_it_tests_and_says_how_it_went(cluster, operator_release):
    done = cluster.run("helm", "test", "tf-job", "--namespace", operator_release, timeout=400)
    suites = [line.split()[-1] for line in done.stdout.splitlines() if "TEST SUITE" in line]
    job, pod = "test-the-cluster-takes-a-tfjob", "test-the-operator-runs-the-tfjob"
    assert sorted(suites) == [job, pod]
    assert done.stdout.count("Phase:          Succeeded") == 2
    assert f"TfJob {operator_release}/{job} succeeded" in done.stderr


def test_an_upgrade_brings_the_crd_that_helm_would_not(cluster, operator_release):
    crd = ("crd", "tfjobs.tensorflow.org")
    path = "{.spec.versions[0].additionalPrinterColumns[*].name}"
    away = '[{"op": "remove", "path": "/spec/versions/0/additionalPrinterColumns"}]'
    cluster.kubectl("patch", *crd, "--type=json", f"--patch={away}")
    assert "State" not in cluster.kubectl("get", *crd, "-o", f"jsonpath={path}").stdout
    where = ("--namespace", operator_release, "--reuse-values", "--wait")
    cluster.run("helm", "upgrade", "tf-job", "operator/chart", *where, timeout=400)
    assert "State" in cluster.kubectl("get", *crd, "-o", f"jsonpath={path}").stdout
    # A later release may be installed after `helm uninstall`, which leaves the CRD: no conflict.
    newer = (
        Path("operator/chart/crds/tfjobs.yaml").read_text().replace("is one Tensor", "is a Tensor")
    )
    assert "is a Tensor" in newer
    as_helm = ("apply", "--server-side", "--field-manager=helm", "--dry-run=server", "-f", "-")
    cluster.kubectl(*as_helm, input=newer)
