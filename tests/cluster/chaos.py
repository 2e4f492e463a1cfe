"""What the chaos tests share: TfJobs whose Pods end when told to, and ways to break the cluster.

The Pods run the operator's own image, since it is small and holds a Python.
"""

import contextlib
import json
import os
import re
import signal
import sys
import time

IMAGE = "localhost/tf-job-operator:1.1.0"
UNTIL_TOLD = """
import os, time
while not os.path.exists("/exchange/exit"):
    time.sleep(0.1)
time.sleep(1)  # so that the one who told us ends first
os._exit(int(open("/exchange/exit").read()))
"""
CHILDREN = "jobs,services,pods,configmaps,deployments"


def replica(kind, replicas=1, program=UNTIL_TOLD):
    """A replica whose Pods run a Python program in their first second."""
    container = {
        "name": "tensorflow",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/usr/bin/python3.11", "-c", program],
        "volumeMounts": [{"name": "work", "mountPath": "/exchange"}],
    }
    spec = {
        "containers": [container],
        "volumes": [{"name": "work", "emptyDir": {}}],
        "securityContext": {"fsGroup": 65532},
        "terminationGracePeriodSeconds": 1,
    }
    return {"replicas": replicas, "tfReplicaType": kind, "template": {"spec": spec}}


def tf_job(name, *replicas, **spec):
    return {
        "apiVersion": "tensorflow.org/v1alpha1",
        "kind": "TfJob",
        "metadata": {"name": name},
        "spec": {"replicaSpecs": list(replicas), **spec},
    }


class Chaos:
    """The cluster from one namespace, with what breaks it."""

    def __init__(self, cluster, namespace):
        self.cluster, self.namespace = cluster, namespace

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl("-n", self.namespace, *arguments, **options)

    def apply(self, *objects):
        body = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", input=json.dumps(body))

    def get(self, what, *arguments):
        """Objects as JSON; of a kind and name one object."""
        return json.loads(self.kubectl("get", what, *arguments, "-o", "json").stdout)

    def wait(self, name, condition, seconds=300):
        """Until a TfJob has a condition."""
        flag = f"--timeout={seconds}s"
        self.kubectl(
            "wait", f"tfjob/{name}", f"--for=condition={condition}", flag, timeout=seconds + 30
        )

    def until(self, what, seconds=300):
        """The first true answer of a function, asked twice a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := what():
                return found
            time.sleep(0.5)
        raise AssertionError(f"not within {seconds} s")

    def pods(self, name, kind=None, phase="Running"):
        """Names of a job's Pods in a phase that are not terminating, by creation."""
        labels = f"tf_job_name={name}" + (f",job_type={kind}" if kind else "")
        found = self.get("pods", "-l", labels, "--sort-by=.metadata.creationTimestamp")["items"]
        return [
            pod["metadata"]["name"]
            for pod in found
            if pod["status"].get("phase") == phase and "deletionTimestamp" not in pod["metadata"]
        ]

    def running(self, name, count):
        """Wait until so many Pods of a job run; gives their names."""
        return self.until(lambda: len(found := self.pods(name)) == count and found)

    def end(self, pod, exit_code):
        """Tell the program in a Pod to end so, and see it end; it may take us along (137)."""
        write = f"open('/exchange/exit', 'w').write('{exit_code}')"
        started = self._running_since(pod)
        done = self.kubectl("exec", pod, "--", "/usr/bin/python3.11", "-c", write, check=False)
        assert done.returncode in (0, 137), done.stderr
        self.until(lambda: self._running_since(pod) != started)

    def _running_since(self, pod):
        """When the container that runs in a Pod started; "" if none runs, or the Pod is gone."""
        path = "{.status.containerStatuses[0].state.running.startedAt}"
        wanted = (pod, "--ignore-not-found", f"--output=jsonpath={path}")
        return self.kubectl("get", "pod", *wanted).stdout

    def status(self, name):
        return self.get("tfjob", name)["status"]

    def children(self, name):
        """{kind/name: uid} of the Jobs and Services of a TfJob."""
        found = self.get("jobs,services", "-l", f"tf_job_name={name}")["items"]
        return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["uid"] for o in found}

    def left_over(self):
        """What carries the operator's label in the namespace."""
        return self.kubectl("get", CHILDREN, "-l", "tensorflow.org", "-o", "name").stdout.split()

    @contextlib.contextmanager
    def stopped(self, component):
        """A component of the node that hangs: stopped, not ended, and then woken up."""
        status = self.cluster.run(
            sys.executable, "-m", "cluster", "status", "--name", self.cluster.name
        )
        pid = int(re.search(rf"{component}\s+running, process (\d+)", status.stdout)[1])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)
