"""The notebook image: it runs notebooks as nobody in particular, and changes nothing of itself."""

from __future__ import annotations

import json
import sys

from cluster.workshop import table

(IMAGE,) = table.ON_DEMAND
CODE = """\
%matplotlib inline
import matplotlib.pyplot as plot, tensorflow as tf
from fashion_mnist import data
from kubernetes import client
plot.plot([1, 2])
print("the sum is", int(tf.reduce_sum(tf.constant([20, 22]))), len(data.CLASSES))
"""
SCRIPT = """\
import nbformat, subprocess, sys
nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(sys.argv[1])]), "x.ipynb")
subprocess.run(["jupyter", "execute", "--inplace", "x.ipynb"], check=True)
(cell,) = nbformat.read("x.ipynb", as_version=4).cells
for output in cell.outputs:
    print(output.get("text") or sorted(output.data))
"""


def restricted_pod(*command):
    """A Pod that Pod Security's level `restricted` allows, with a root that nobody can write to."""
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    places = {"tmp": "/tmp", "home": "/home/learner"}
    container = {
        "name": "main",
        "image": IMAGE,
        "command": list(command),
        "securityContext": context,
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in places.items()],
    }
    volumes = [{"name": name, "emptyDir": {}} for name in places]
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "notebook"}, "spec": spec}


def test_a_notebook_runs_on_a_read_only_root_and_is_restricted(cluster, namespace):
    load = [sys.executable, "-m", "cluster", "load", "--name", cluster.name, IMAGE]
    cluster.run(*load, timeout=600)
    where = ("--namespace", namespace)
    level = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", namespace, level)
    pod = restricted_pod("python", "-c", SCRIPT, CODE)
    cluster.kubectl("apply", *where, "--filename=-", input=json.dumps(pod))
    ended = "--for=jsonpath={.status.phase}=Succeeded"
    done = cluster.kubectl("wait", *where, "pod/notebook", ended, "--timeout=120s", check=False)
    said = cluster.kubectl("logs", *where, "notebook", check=False).stdout
    assert done.returncode == 0, f"{done.stderr}{said}"
    assert "the sum is 42 10" in said
    assert "image/png" in said
